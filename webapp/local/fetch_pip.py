"""Put pip into a virtual environment that was made without it: `.venv/bin/python webapp/local/fetch_pip.py`.

Debian and Ubuntu keep `ensurepip` in a package of its own (python3-venv), which a user without root cannot install.
Standard library only. The wheel comes from PIP_INDEX_URL or PyPI and must have the SHA-256 that the index states.
"""

import hashlib
import os
import re
import runpy
import sys
import tempfile
import urllib.parse
import urllib.request
from pathlib import Path

WHEEL = re.compile(r'href="([^"]*/)?(pip-(\d+(?:\.\d+)*)-py3-none-any\.whl)#sha256=([0-9a-f]{64})"')


def _read(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=60) as answer:  # noqa: S310 -- the operator's own index
        data: bytes = answer.read()
    return data


def newest_wheel(page: str) -> tuple[str, str, str]:
    """Return folder, file name and SHA-256 of the newest pip on an index page (PEP 503)."""
    found = [(tuple(map(int, match[2].split("."))), match) for match in WHEEL.findall(page)]
    if not found:
        sys.exit("The package index lists no wheel of pip. Install the package python3-venv, then run make again.")
    folder, name, _, digest = max(found)[1]
    return folder, name, digest


def main() -> None:
    index = os.environ.get("PIP_INDEX_URL", "https://pypi.org/simple").rstrip("/") + "/pip/"
    folder, name, digest = newest_wheel(_read(index).decode())
    data = _read(urllib.parse.urljoin(index, folder + name))
    if hashlib.sha256(data).hexdigest() != digest:
        sys.exit(f"{name} from {index} does not have the SHA-256 that the index states.")
    with tempfile.TemporaryDirectory() as place:
        wheel = Path(place) / name
        wheel.write_bytes(data)
        # A wheel is a zip file that Python can import from: pip installs itself.
        sys.path.insert(0, str(wheel))
        sys.argv = ["pip", "install", "--no-index", "--quiet", str(wheel)]
        runpy.run_module("pip", run_name="__main__")


if __name__ == "__main__":
    main()
