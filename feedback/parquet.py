"""Parquet shards with fixed bytes: the same rows give the same file, however they arrive."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from feedback.exporters.base import Feature, Row

#: Rows of a shard, and of a row group in it: fixed, so that files do not depend on how rows were read.
SHARD_ROWS = 100_000
GROUP_ROWS = 1_000

_TYPES: dict[str, Any] = {
    "string": pa.string(),
    "bool": pa.bool_(),
    "int8": pa.int8(),
    "int32": pa.int32(),
    "int64": pa.int64(),
    "float32": pa.float32(),
    "float64": pa.float64(),
    "timestamp[us, tz=UTC]": pa.timestamp("us", tz="UTC"),
}


def arrow_schema(features: Sequence[Feature]) -> Any:
    """Return the Arrow schema of a card's features; class labels are their number."""
    return pa.schema([pa.field(feature["name"], _arrow_type(feature)) for feature in features])


def _arrow_type(feature: Feature) -> Any:
    if "list" in feature:
        inner = feature["list"]
        return pa.list_(_TYPES[inner] if isinstance(inner, str) else _struct(inner))
    if "struct" in feature:
        return _struct(feature["struct"])
    dtype = feature["dtype"]
    return pa.int64() if isinstance(dtype, dict) else _TYPES[dtype]


def _struct(fields: Sequence[Feature]) -> Any:
    return pa.struct([pa.field(field["name"], _arrow_type(field)) for field in fields])


def encode(features: Sequence[Feature], row: Row) -> Row:
    """Return the row with every key of `features`, absent ones null, and class labels as numbers."""
    return {feature["name"]: _encode(feature, row.get(feature["name"])) for feature in features}


def _encode(feature: Feature, value: Any) -> Any:
    if value is None:
        return None
    if "list" in feature:
        inner = feature["list"]
        return value if isinstance(inner, str) else [encode(inner, item) for item in value]
    if "struct" in feature:
        return encode(feature["struct"], value)
    if isinstance(feature["dtype"], dict):
        names = feature["dtype"]["class_label"]["names"]
        return next(int(number) for number, name in names.items() if name == value)
    return value


class ParquetShard:
    """One file. Rows are gathered into groups of GROUP_ROWS."""

    def __init__(self, path: Path, features: Sequence[Feature]) -> None:
        self._features = features
        self._schema = arrow_schema(features)
        self._rows: list[Row] = []
        # Every setting that could change the bytes with a new pyarrow is named.
        self._writer = pq.ParquetWriter(
            path,
            self._schema,
            version="2.6",
            compression="zstd",
            compression_level=3,
            use_dictionary=True,
            write_statistics=True,
            data_page_size=1024 * 1024,
            data_page_version="1.0",
            store_schema=True,
        )

    def __enter__(self) -> ParquetShard:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def write(self, row: Row) -> None:
        self._rows.append(encode(self._features, row))
        if len(self._rows) == GROUP_ROWS:
            self._flush()

    def close(self) -> None:
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        if self._rows:
            self._writer.write_table(pa.Table.from_pylist(self._rows, schema=self._schema), row_group_size=GROUP_ROWS)
            self._rows = []
