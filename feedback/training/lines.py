"""Files of one JSON object a line, .gz or not, read line by line; what is wrong with one is said without quoting it."""

from __future__ import annotations

import gzip
import io
import json
import zlib
from codecs import BOM_UTF8
from collections.abc import Iterator
from pathlib import Path
from typing import Any

#: Longer lines than this are no text that a model would be asked about.
MAX_LINE = 8 * 1024 * 1024
WANTED = "write one object a line, UTF-8"


def numbered_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield the number and the bytes of each line that is not empty, without a byte order mark.

    Raise OSError, or ValueError when a line is too long or the file ends or breaks inside its compression.
    """
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        number = 0
        while line := _line(file, path, number + 1):
            number += 1
            if number == 1:
                line = line.removeprefix(BOM_UTF8)
            if line.strip():
                yield number, line


def objects(path: Path) -> Iterator[tuple[int, Any]]:
    """Yield the number and the content of each line. Raise OSError, or ValueError naming the line that is no object."""
    for number, line in numbered_lines(path):
        try:
            content = json.loads(line.decode())
        except ValueError:
            raise ValueError(f"{path}, line {number}: {no_object(line)}") from None
        if not isinstance(content, dict):
            raise ValueError(f"{path}, line {number}: {no_object(line)}")
        yield number, content


def no_object(line: bytes) -> str:
    """Return why a line is no JSON object, as far as it shows."""
    try:
        line.decode()
    except UnicodeDecodeError:
        return f"is not UTF-8; {WANTED}"
    return (
        f"is a JSON array or part of one; {WANTED}"
        if line.lstrip().startswith(b"[")
        else f"is no JSON object; {WANTED}"
    )


def _line(file: io.BufferedIOBase, path: Path, number: int) -> bytes:
    try:
        line = file.readline(MAX_LINE + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ValueError(f"{path} is no whole gzip file") from error
    if len(line) > MAX_LINE:
        raise ValueError(f"{path}, line {number}: longer than {MAX_LINE // 1024 // 1024} MiB")
    return line
