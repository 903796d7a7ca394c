"""Rows of a version into the files of a format."""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

from django.utils.translation import gettext_noop

from feedback.exporters.base import Exporter, Row, Skip
from feedback.models import Split
from feedback.parquet import SHARD_ROWS, ParquetShard
from feedback.records import Record, as_said_blind

#: Line ends to some readers (str.splitlines among them), yet legal in JSON strings: escaped, they break nothing.
_LINE_ENDS = str.maketrans({"\u2028": "\\u2028", "\u2029": "\\u2029", "\x85": "\\u0085"})
NOT_BLIND = gettext_noop("an answer was not given blind, and the dataset does not choose by what reviewers saw")


def json_line(row: Row) -> str:
    """Return the row as one line of JSON, without its end."""
    return json.dumps(row, ensure_ascii=False, separators=(",", ":"), allow_nan=False).translate(_LINE_ENDS)


class DataFile(Protocol):
    def write(self, row: Row) -> None: ...

    def close(self) -> None: ...


class JSONLines:
    """A file of one JSON object a line, UTF-8."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("x", encoding="utf-8", newline="\n")

    def write(self, row: Row) -> None:
        self._file.write(json_line(row) + "\n")

    def close(self) -> None:
        self._file.close()


class JSONArray:
    """A file of one JSON array, an object a line, UTF-8."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("x", encoding="utf-8", newline="\n")
        self._before = "[\n"

    def write(self, row: Row) -> None:
        self._file.write(self._before + json_line(row))
        self._before = ",\n"

    def close(self) -> None:
        self._file.write("\n]\n")
        self._file.close()


class SplitFiles:
    """The data files of an export below `folder`, written side by side; memory does not grow with the rows.

    Splits without rows get no file: loaders fail on empty ones. `blind_only` takes of each record what people
    said before they saw the machine, and leaves out records of which not all of them did.
    """

    def __init__(self, folder: Path, exporter: Exporter, *, dataset: str, blind_only: bool = False) -> None:
        self._blind_only = blind_only
        self._folder, self._exporter, self._dataset = folder, exporter, dataset
        self._open: dict[str, DataFile] = {}
        self._parts: dict[str, list[Path]] = {}
        self.rows: dict[str, int] = {}
        self.skipped: Counter[str] = Counter()
        self.assistance: Counter[str] = Counter()
        self.words: set[str] = set()

    def __enter__(self) -> SplitFiles:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with contextlib.ExitStack() as stack:
            for file in self._open.values():
                stack.callback(file.close)

    def add(self, record: Record) -> None:
        """Write the rows of a record to its split, or count why it has none."""
        said = as_said_blind(record) if self._blind_only else record
        if said is None:
            self.skipped[NOT_BLIND] += 1
            return
        self._add(said)

    def _add(self, record: Record) -> None:
        rows = self._exporter.rows(record)
        if isinstance(rows, Skip):
            self.skipped[rows.reason] += 1
            return
        self.assistance[record["assistance"] or "none"] += 1
        self.words.update(self._exporter.words(record))
        for row in rows:
            self._write(record["split"], row)

    def _write(self, split: str, row: Row) -> None:
        number = self.rows.get(split, 0)
        if number == 0 or (self._sharded and number % SHARD_ROWS == 0):
            self._next_part(split)
        self._open[split].write(row)
        self.rows[split] = number + 1

    @property
    def _sharded(self) -> bool:
        return self._exporter.file_type == "parquet"

    def _next_part(self, split: str) -> None:
        if split in self._open:
            self._open.pop(split).close()
        parts = self._parts.setdefault(split, [])
        path = self._folder / self._exporter.data_file(dataset=self._dataset, split=split)
        if self._sharded:
            # How many there will be belongs to the name too: added at the end, when it is known.
            path = path.with_name(f"{path.name}-{len(parts):05d}.parquet")
        path.parent.mkdir(parents=True, exist_ok=True)
        parts.append(path)
        self._open[split] = self._new_file(path)

    def _new_file(self, path: Path) -> DataFile:
        match self._exporter.file_type:
            case "parquet":
                return ParquetShard(path, self._exporter.features)
            case "json":
                return JSONArray(path)
            case _:
                return JSONLines(path)

    def finish(self) -> dict[str, list[dict[str, Any]]]:
        """Close the files, give shards their names, and return path and rows of each by split, in order."""
        while self._open:
            self._open.popitem()[1].close()
        return {split: self._named(split) for split in Split.values if split in self._parts}

    def _named(self, split: str) -> list[dict[str, Any]]:
        parts, rows = self._parts[split], self.rows[split]
        if self._sharded:
            end = f"-of-{len(parts):05d}.parquet"
            parts = [part.rename(part.with_name(part.stem + end)) for part in parts]
        size = SHARD_ROWS if self._sharded else rows
        return [
            {"path": part.relative_to(self._folder).as_posix(), "rows": min(size, rows - number * size)}
            for number, part in enumerate(parts)
        ]
