"""The contract of an exporter: one file here, one line in registry.py.

An exporter turns one record into rows and says how the rows are typed. Files, splits, hashes and the card are the same
for all, in feedback.writing.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from feedback.records import Record

Row = dict[str, Any]
#: A column as the card of a Hugging Face dataset has it under `dataset_info.features`.
Feature = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Skip:
    """Why a record gives no row, in words that the manifest counts."""

    reason: str


class Exporter(ABC):
    identifier: ClassVar[str]
    title: ClassVar[str]
    #: What it is for and what it takes, in one or two sentences.
    purpose: ClassVar[str]
    #: Which texts leave by it as they were, in one sentence.
    exposes: ClassVar[str]
    features: ClassVar[Sequence[Feature]]
    #: It measures machines: by default it takes only what people said before they saw what a machine said.
    measures: ClassVar[bool] = False
    file_type: ClassVar[Literal["json", "jsonl", "parquet"]] = "jsonl"
    #: How to load the folder, as its card says it.
    usage: ClassVar[str] = """Load it with:

```python
from datasets import load_dataset

data = load_dataset("path/to/this/folder")
```"""

    @abstractmethod
    def rows(self, record: Record) -> list[Row] | Skip:
        """Return the rows of a record, each with the keys of `features` (JSON may leave out null ones)."""

    def data_file(self, *, dataset: str, split: str) -> str:
        """Return where the rows of a split lie in the folder; Parquet adds the shard's number."""
        return f"{split}.jsonl" if self.file_type == "jsonl" else f"data/{split}"

    def words(self, record: Record) -> Iterable[str]:
        """Return what `extra_files` must know of the rows of a record; few different ones in all, they are kept."""
        return ()

    def extra_files(self, *, dataset: str, splits: Sequence[str], words: Collection[str]) -> dict[str, str]:
        """Return further files by path, for the splits that have rows; `words` of all their records."""
        return {}


def column(name: str, dtype: str) -> Feature:
    return {"name": name, "dtype": dtype}


def list_column(name: str, of: str | Sequence[Feature]) -> Feature:
    return {"name": name, "list": of if isinstance(of, str) else list(of)}


def struct_column(name: str, fields: Sequence[Feature]) -> Feature:
    return {"name": name, "struct": list(fields)}


def class_column(name: str, names: Sequence[str]) -> Feature:
    return {"name": name, "dtype": {"class_label": {"names": {str(i): value for i, value in enumerate(names)}}}}


#: Chat messages; null keys may be absent in JSON.
MESSAGE: tuple[Feature, ...] = (
    column("role", "string"),
    column("content", "string"),
    column("name", "string"),
    column("tool_call_id", "string"),
    column("tool_calls", "json"),
)
