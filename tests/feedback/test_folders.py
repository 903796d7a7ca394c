"""Folders that appear whole or not at all, and what is left of one whose process was killed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from feedback.folders import remove_leftovers, whole_folder

#: Makes a folder, and stops in its middle.
HALF = """
import sys
from pathlib import Path
from feedback.folders import whole_folder
with whole_folder(Path(sys.argv[1])) as folder:
    (folder / "half").write_text("half")
    print(folder, flush=True)
    sys.stdin.read()
"""


@contextmanager
def _at_work(target: Path) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """Give a process that is making `target`, and the folder in which it does so."""
    command = [sys.executable, "-c", HALF, str(target)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process, Path(process.stdout.readline().strip())
        process.kill()


def test_what_a_killed_process_left_is_removed_and_what_a_living_one_writes_is_not(tmp_path: Path) -> None:
    with _at_work(tmp_path / "out") as (process, making):
        remove_leftovers(tmp_path / "out")
        assert [path.name for path in making.iterdir()] == ["half"], "its process lives"
        with whole_folder(tmp_path / "out"):
            process.kill()
            process.wait()
        assert making.exists(), "a killed process removes nothing"
        remove_leftovers(tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_only_what_is_left_of_the_same_folder_is_removed(tmp_path: Path) -> None:
    own, others = tmp_path / f".v[1].{'0a' * 16}.part", tmp_path / f".v1.{'0a' * 16}.part"
    notes = tmp_path / ".v[1].notes.part"
    for left in (own, others, notes):
        left.mkdir()
    remove_leftovers(tmp_path / "v[1]")
    assert {*tmp_path.iterdir()} == {others, notes}
