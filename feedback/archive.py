"""An export's folder as one zip, streamed: no copy on disk, constant memory, the same bytes every time."""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path

from feedback.errors import ExportFailed
from feedback.folders import MANIFEST
from feedback.models import Export
from screening.sentences import say
from webapp.zips import NO_TIME, Sink

CHUNK = 256 * 1024


def zip_name(export: Export) -> str:
    version = export.version
    return f"{version.dataset.slug}-v{version.version}-{export.format}.zip"


def zipped(export: Export) -> Iterator[bytes]:
    """Return the zip of a finished export in pieces. Raises ExportFailed, before the first, when files are missing."""
    folder = Path(export.path)
    sizes = {file["path"]: file["bytes"] for file in export.manifest["files"]}
    for path, size in sizes.items():
        place = folder / path
        if not place.is_file() or place.stat().st_size != size:
            raise ExportFailed(say("The files of this export are gone or were changed. Export again."))
    top = zip_name(export).removesuffix(".zip")
    return _pieces(folder, sorted([*sizes, MANIFEST]), top)


def _pieces(folder: Path, paths: list[str], top: str) -> Iterator[bytes]:
    sink = Sink()
    with zipfile.ZipFile(sink, "w") as archive:
        for path in paths:
            info = zipfile.ZipInfo(f"{top}/{path}", NO_TIME)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = (stat.S_IFREG | 0o644) << 16
            info.file_size = (folder / path).stat().st_size
            with (folder / path).open("rb") as source, archive.open(info, "w") as target:
                while data := source.read(CHUNK):
                    target.write(data)
                    yield sink.drain()
    yield sink.drain()
