"""Find a Chromium for the browser tests, or install one: `.venv/bin/python tests/browser/install_chromium.py`.

Order: the one that COUNTERSIGN_CHROMIUM names, an installed one, Playwright's own, Debian's package when root.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
ADVICE = "Install Chromium or Chrome (Debian: apt install chromium), or set COUNTERSIGN_CHROMIUM to its path."


def find_chromium() -> Path | None:
    """Return a Chromium that starts, None when there is none."""
    return next((program for program in _candidates() if _starts(program)), None)


def _candidates() -> Iterator[Path]:
    if named := os.environ.get("COUNTERSIGN_CHROMIUM"):
        yield Path(named)
    for name in PROGRAMS:
        if found := shutil.which(name):
            yield Path(found)
    yield MAC
    yield _of_playwright()


def _of_playwright() -> Path:
    # In a process of its own: Playwright's event loop would get in the way of tests that ask for the path.
    code = "from playwright.sync_api import sync_playwright as s\nwith s() as p: print(p.chromium.executable_path)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    return Path(shown.stdout.strip() or "/nonexistent")


def _starts(program: Path) -> bool:
    """Tell whether it runs here: a stub of a snap, or one without its libraries, does not."""
    try:
        return subprocess.run([program, "--version"], capture_output=True, check=False, timeout=60).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def install() -> None:
    """Try Playwright's download, then Debian's package when root."""
    attempts = [[sys.executable, "-m", "playwright", "install", "chromium"]]
    if os.geteuid() == 0 and shutil.which("apt-get"):
        attempts += [["apt-get", "update"], ["apt-get", "install", "-y", "--no-install-recommends", "chromium"]]
    for command in attempts:
        sys.stdout.write(f"$ {' '.join(command)}\n")
        sys.stdout.flush()
        subprocess.run(command, check=False)
        if find_chromium():
            return


def main() -> int:
    if find_chromium() is None:
        install()
    found = find_chromium()
    sys.stdout.write(f"Chromium for the browser tests: {found}\n" if found else f"No Chromium. {ADVICE}\n")
    return 0 if found else 1


if __name__ == "__main__":
    sys.exit(main())
