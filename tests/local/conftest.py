"""Homes with a ready-made cluster: `initdb` takes seconds, a copy does not."""

import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.local.leftovers import left_over
from tests.services import UNSAFE
from webapp.local.home import Home, open_home
from webapp.local.postgres import Postgres
from webapp.local.processes import Supervisor

HomeMaker = Callable[[int], Home]


@pytest.fixture(scope="session")
def finished_cluster(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the `postgres` folder of a home whose cluster was created and never started."""
    home = open_home(tmp_path_factory.mktemp("finished"))
    Postgres(home).create()
    return home.postgres


@pytest.fixture
def make_home(finished_cluster: Path) -> Iterator[HomeMaker]:
    """Return a maker of homes under a parent folder of a given mode; nothing of them may run after the test."""
    with tempfile.TemporaryDirectory(prefix="countersign-home-") as place:

        def make(mode: int) -> Home:
            Path(place).chmod(mode)
            home = open_home(Path(place) / "var")
            subprocess.run(["cp", "-a", str(finished_cluster), str(home.postgres)], check=True)
            return home

        yield make
        assert left_over(Path(place)) == []


@pytest.fixture
def home(make_home: HomeMaker) -> Home:
    return make_home(0o755)


@pytest.fixture
def supervisor(home: Home) -> Iterator[Supervisor]:
    with Supervisor(home.log, report=print) as supervisor:
        yield supervisor


@pytest.fixture
def postgres(home: Home) -> Postgres:
    return Postgres(home, settings=UNSAFE)
