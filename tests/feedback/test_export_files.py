"""The files of an export: the same bytes every time, all of them or none."""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from feedback import exporting, parquet, services, writing
from feedback.archive import zipped
from feedback.errors import DatasetError, ExportFailed, VersionChanged
from feedback.exporters.registry import EXPORTERS
from feedback.filters import Filters
from feedback.folders import whole_folder
from feedback.models import DatasetVersion, Export
from feedback.selectors import member_pages
from feedback.services import create_dataset, fill_export, freeze_version, open_export
from tests.factories import Cast
from tests.feedback.deciding import a_mixture, decide_one
from tests.feedback.loading import load
from webapp.audit.models import AuditEvent

#: Formats that measure take answers that were not blind only when a dataset chooses them.
KNOWINGLY = Filters(assistance=("shown",))


@pytest.fixture
def version(cast: Cast) -> DatasetVersion:
    a_mixture(cast)
    dataset = create_dataset(project=cast.project, slug="first", name="First", filters=KNOWINGLY)
    return freeze_version(dataset=dataset)


def export(version: DatasetVersion, format: str, path: Path | None = None) -> Export:
    return fill_export(open_export(version=version, format=format, created_by=None, path=path))


def contents(folder: str | Path) -> dict[str, bytes]:
    root = Path(folder)
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_the_same_version_gives_the_same_bytes(
    version: DatasetVersion, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = {format: contents(export(version, format).path) for format in EXPORTERS}
    zips = {made.format: b"".join(zipped(made)) for made in version.exports.all()}
    monkeypatch.setattr(exporting, "member_pages", functools.partial(member_pages, size=5))

    for format in EXPORTERS:
        again = export(version, format)
        assert contents(again.path) == first[format]
        assert b"".join(zipped(again)) == zips[format]
        assert contents(export(version, format, tmp_path / format).path) == first[format]


def test_the_manifest_describes_every_file(version: DatasetVersion) -> None:
    made = export(version, "openai-evals")

    manifest = json.loads((Path(made.path) / "manifest.json").read_text())
    assert manifest == made.manifest
    assert (manifest["digest"], manifest["records"]) == (version.digest, 12)
    assert manifest["assistance"] == {"shown": 9}
    assert manifest["skipped"] == {"nothing went out": 3}
    for file in manifest["files"]:
        data = (Path(made.path) / file["path"]).read_bytes()
        assert (file["bytes"], file["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())


def test_large_splits_come_in_shards_that_load(version: DatasetVersion, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "SHARD_ROWS", 3)
    monkeypatch.setattr(parquet, "GROUP_ROWS", 2)

    made = export(version, "huggingface")

    files = {file["path"]: file["rows"] for file in made.manifest["files"] if file["rows"]}
    assert files["data/train-00000-of-00002.parquet"] == 3
    assert files["data/train-00001-of-00002.parquet"] == 1
    assert load(made.path)["train"].num_rows == 4


def test_a_crash_before_the_rename_leaves_no_half_export(
    version: DatasetVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(export(version, "pii-spans").path)

    def crash(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("feedback.folders._sync_all", crash)
        with pytest.raises(OSError, match="No space"):
            export(version, "pii-spans")
        with pytest.raises(OSError, match="No space"):
            export(version, "trl-preference")

    failed = version.exports.order_by("created_at").last()
    assert failed is not None
    assert failed.state == "failed"
    assert "No space left on device" in failed.error
    folder = Path(failed.path).parent
    assert [path.name for path in folder.iterdir()] == ["pii-spans"]
    assert contents(folder / "pii-spans") == before


def test_what_a_killed_run_left_is_removed_by_the_next(version: DatasetVersion) -> None:
    made = export(version, "pii-spans")
    left = Path(made.path).parent / f".pii-spans.{'0a' * 16}.part"
    left.mkdir()
    theirs = left.with_name(".pii-spans.notes")
    theirs.mkdir()

    export(version, "pii-spans")

    assert not left.exists()
    assert theirs.exists()


def test_an_error_inside_a_folder_leaves_nothing(tmp_path: Path) -> None:
    def break_off() -> None:
        with whole_folder(tmp_path / "out") as folder:
            (folder / "half").write_text("half")
            raise KeyError

    with pytest.raises(KeyError):
        break_off()

    assert list(tmp_path.iterdir()) == []


def test_other_peoples_files_are_not_replaced(version: DatasetVersion, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    (tmp_path / "manifest.json").write_text("[]")

    with pytest.raises(ExportFailed, match="holds other files"):
        export(version, "pii-spans", tmp_path)
    with pytest.raises(ExportFailed, match="is a file"):
        export(version, "pii-spans", tmp_path / "thesis.txt")

    assert (tmp_path / "thesis.txt").read_text() == "mine"


def test_a_changed_row_stops_the_export(version: DatasetVersion) -> None:
    row = version.members.all()[0]
    row.record = row.record.replace("harassment", "harmlessness", 1)
    row.save()

    with pytest.raises(VersionChanged, match="do not give its digest"):
        export(version, "huggingface")

    assert not Path(version.exports.get().path).exists()


def test_a_format_that_fits_no_record_says_why(cast: Cast) -> None:
    decide_one(cast, "block", "a", number=1)
    dataset = create_dataset(project=cast.project, slug="blocked", name="Blocked", filters=Filters())

    with pytest.raises(ExportFailed, match=r"No record .* fits the format: nothing went out \(1\)"):
        export(freeze_version(dataset=dataset), "openai-chat-sft")


def test_an_unknown_format_names_those_there_are(version: DatasetVersion) -> None:
    with pytest.raises(DatasetError, match="choose one of: openai-chat-sft, trl-preference"):
        open_export(version=version, format="xml", created_by=None)


def test_an_export_is_recorded_with_its_counts(cast: Cast, version: DatasetVersion) -> None:
    made = fill_export(open_export(version=version, format="openai-chat-sft", created_by=cast.owner))

    envelope = json.loads(bytes(AuditEvent.objects.get(type="export.created").envelope))

    manifest = (Path(made.path) / "manifest.json").read_bytes()
    assert envelope["object"] == {"kind": "export", "id": str(made.id), "rev": hashlib.sha256(manifest).hexdigest()}
    assert envelope["counts"]["rows"] == 9
    assert envelope["reason_codes"] == ["format:openai-chat-sft"]
    assert envelope["actor"]["ref"] == str(cast.owner.id)


def test_the_zip_holds_the_folder_and_no_times(version: DatasetVersion) -> None:
    made = export(version, "openai-evals")

    with zipfile.ZipFile(io.BytesIO(b"".join(zipped(made)))) as archive:
        assert archive.testzip() is None
        held = {name.removeprefix("first-v1-openai-evals/"): archive.read(name) for name in archive.namelist()}
        assert {dt.datetime(*info.date_time) for info in archive.infolist()} == {dt.datetime(1980, 1, 1)}
    assert held == contents(made.path)


def test_missing_files_are_not_zipped(version: DatasetVersion) -> None:
    made = export(version, "pii-spans")
    (Path(made.path) / "train.jsonl").unlink()

    with pytest.raises(ExportFailed, match="Export again"):
        zipped(made)


def test_exporting_twice_at_once_is_one_export(version: DatasetVersion) -> None:
    first = open_export(version=version, format="pii-spans", created_by=None)
    second = open_export(version=version, format="pii-spans", created_by=None)

    assert first == second
    assert fill_export(first).state == "done"
    finished = first.manifest
    assert fill_export(second).manifest == finished
    assert AuditEvent.objects.filter(type="export.created").count() == 1
    assert services.open_export(version=version, format="pii-spans", created_by=None) != first


def test_no_text_of_a_check_gets_into_an_error(version: DatasetVersion, monkeypatch: Any) -> None:
    def fail(*_: object) -> None:
        raise ValueError("ann@example.com")

    monkeypatch.setattr(type(EXPORTERS["pii-spans"]), "rows", fail)

    with pytest.raises(ValueError, match="ann"):
        export(version, "pii-spans")

    assert "ValueError" in version.exports.get().error
    assert "ann@" not in version.exports.get().error
