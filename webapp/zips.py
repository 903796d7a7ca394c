"""What zipfile needs to write a zip that is sent while it is made."""

from __future__ import annotations

import io

#: The earliest that a zip can say: file times would make other bytes of equal files.
NO_TIME = (1980, 1, 1, 0, 0, 0)


class Sink(io.RawIOBase):
    """Takes what zipfile writes and hands it on; zipfile sees that it cannot seek and streams."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]  # zipfile gives bytes alone
        self._parts.append(bytes(data))
        return len(data)

    def drain(self) -> bytes:
        data = b"".join(self._parts)
        self._parts.clear()
        return data
