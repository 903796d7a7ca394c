"""What the commands of this package share."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from django.core.management.base import CommandError
from tqdm import tqdm

from webapp.accounts.models import Project

if TYPE_CHECKING:
    import torch


def find_project(slug: str) -> Project:
    """Return the project; raise CommandError that names those that exist."""
    project = Project.objects.filter(slug=slug).first()
    if project is None:
        known = ", ".join(Project.objects.order_by("slug").values_list("slug", flat=True)) or "none yet"
        raise CommandError(f"There is no project {slug!r}. Projects: {known}.")
    return project


def find_device(name: str) -> torch.device:
    """Return the device to compute on; raise CommandError when there is no such, with what to say instead."""
    from workers.runtimes.devices import resolve_device
    from workers.runtimes.errors import ModelUnavailable

    try:
        return resolve_device(name)
    except ModelUnavailable as error:
        raise CommandError(str(error)) from error


def make_folder(path: Path) -> None:
    """Make the folder where there is none; raise CommandError when nothing can be written to it."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise CommandError(f"{path} cannot be written to: {error.strerror or error}. Name another folder.") from error


@contextmanager
def bar(what: str, unit: str) -> Iterator[Callable[[int, int], None]]:
    """Give a function that shows progress on standard error: done, total."""
    with tqdm(desc=what, unit=unit, leave=False) as shown:

        def show(done: int, total: int) -> None:
            shown.total = total
            shown.update(done - shown.n)

        yield show
