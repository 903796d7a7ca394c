"""Every export loads with the library that trainers load with."""

from __future__ import annotations

from pathlib import Path

import pytest

from feedback.exporters.registry import EXPORTERS
from feedback.filters import Filters
from feedback.models import DatasetVersion, Export
from feedback.services import create_dataset, fill_export, freeze_version, open_export
from tests.factories import Cast
from tests.feedback.deciding import a_mixture
from tests.feedback.loading import load


@pytest.fixture
def version(cast: Cast) -> DatasetVersion:
    a_mixture(cast)
    dataset = create_dataset(project=cast.project, slug="first", name="First", filters=Filters())
    return freeze_version(dataset=dataset)


def export(version: DatasetVersion, format: str) -> Export:
    return fill_export(open_export(version=version, format=format, created_by=None))


@pytest.mark.parametrize("format", list(EXPORTERS))
def test_loads_with_the_rows_and_columns_it_declares(version: DatasetVersion, format: str) -> None:
    made = export(version, format)

    loaded = load(made.path)

    assert {split: part.num_rows for split, part in loaded.items()} == made.manifest["rows"]
    for part in loaded.values():
        assert part.column_names == [feature["name"] for feature in EXPORTERS[format].features]
    names = {path.relative_to(made.path).as_posix() for path in Path(made.path).rglob("*") if path.is_file()}
    assert names == {file["path"] for file in made.manifest["files"]} | {"manifest.json"}
