import os
import shutil
import signal
import subprocess
from pathlib import Path

import psutil
import psycopg
import pytest

from tests.local.conftest import HomeMaker
from tests.services import UNSAFE
from webapp.local.home import Home, LocalError, open_home
from webapp.local.postgres import Postgres
from webapp.local.processes import Supervisor

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root changes users")


def start(supervisor: Supervisor, postgres: Postgres) -> None:
    supervisor.start(postgres.process())
    supervisor.wait_until(postgres.accepts, timeout=30, what="PostgreSQL")


def execute(postgres: Postgres, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def test_data_and_port_survive_a_restart(home: Home, postgres: Postgres) -> None:
    with Supervisor(home.log, report=print) as supervisor:
        start(supervisor, postgres)
        execute(postgres, "CREATE TABLE note AS SELECT 'kept' AS text")
    again = Postgres(home)
    assert again.create() is False
    with Supervisor(home.log, report=print) as supervisor:
        start(supervisor, again)
        assert execute(again, "SELECT text FROM note") == [("kept",)]
    assert again.url == postgres.url


@pytest.mark.parametrize("mode", [0o700, 0o755])
def test_it_runs_whether_or_not_others_may_enter_the_folder_above(make_home: HomeMaker, mode: int) -> None:
    home = make_home(mode)
    postgres = Postgres(home, settings=UNSAFE)
    with Supervisor(home.log, report=print) as supervisor:
        start(supervisor, postgres)
        assert execute(postgres, "SHOW data_checksums") == [("on",)]


@as_root
def test_root_hands_it_to_another_user(supervisor: Supervisor, postgres: Postgres) -> None:
    start(supervisor, postgres)
    server = psutil.Process(supervisor.pid("postgres"))
    assert 0 not in server.uids()


@as_root
def test_root_creates_a_cluster_under_a_closed_folder(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    postgres = Postgres(open_home(tmp_path / "var"))
    assert postgres.create() is True
    assert postgres.data.stat().st_uid != 0


@as_root
def test_root_runs_programs_that_lie_in_a_closed_folder(home: Home, postgres: Postgres, tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    package = postgres.binaries.parents[1]
    for folder in package.parent.glob(f"{package.name}*"):
        # Hard links: a copy of a hundred megabytes in no time, where both places share a disk.
        if subprocess.run(["cp", "-al", str(folder), str(tmp_path)], check=False).returncode != 0:
            shutil.copytree(folder, tmp_path / folder.name, dirs_exist_ok=True)
    shutil.rmtree(home.postgres)
    postgres.binaries = tmp_path / postgres.binaries.relative_to(package.parent)
    assert postgres.create() is True
    with Supervisor(home.log, report=print) as supervisor:
        start(supervisor, postgres)


def test_other_users_of_the_machine_need_the_password(supervisor: Supervisor, postgres: Postgres) -> None:
    start(supervisor, postgres)
    password = postgres.url.split(":")[2].split("@")[0]
    assert (postgres.folder / "password").stat().st_mode & 0o077 == 0
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(postgres.url.replace(password, "guess"))


def test_it_comes_back_after_kill_9_with_what_was_committed(supervisor: Supervisor, home: Home) -> None:
    postgres = Postgres(home)
    start(supervisor, postgres)
    execute(postgres, "CREATE TABLE note AS SELECT 'kept' AS text")
    killed = supervisor.pid("postgres")
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    supervisor.wait_until(lambda: supervisor.pid("postgres") not in (None, killed), timeout=10, what="restart")
    supervisor.wait_until(postgres.accepts, timeout=30, what="PostgreSQL")
    assert execute(postgres, "SELECT text FROM note") == [("kept",)]


def test_a_lock_file_with_a_reused_process_id_does_not_keep_it_down(supervisor: Supervisor, postgres: Postgres) -> None:
    (postgres.data / "postmaster.pid").write_text(f"{os.getpid()}\n{postgres.data}\n0\n1\n\n127.0.0.1\n")
    start(supervisor, postgres)


def test_a_server_that_outlived_its_supervisor_is_ended_first(supervisor: Supervisor, postgres: Postgres) -> None:
    process = postgres.process()
    orphan = subprocess.Popen(process.command, cwd="/", stderr=subprocess.DEVNULL, start_new_session=True)
    supervisor.wait_until(postgres.accepts, timeout=30, what="PostgreSQL")
    supervisor.start(process)
    assert orphan.wait(timeout=20) == 0
    supervisor.wait_until(postgres.accepts, timeout=30, what="PostgreSQL")


def test_a_data_folder_of_another_version_is_refused(postgres: Postgres) -> None:
    (postgres.data / "PG_VERSION").write_text("9.6\n")
    with pytest.raises(LocalError, match="not a PostgreSQL data folder"):
        postgres.create()
    (postgres.data / "PG_VERSION").write_text("16\n")
    with pytest.raises(LocalError, match="made by PostgreSQL 16") as refused:
        postgres.create()
    assert "restore the dump" in refused.value.hint


def test_a_damaged_data_folder_is_refused(postgres: Postgres) -> None:
    (postgres.data / "global" / "pg_control").unlink()
    with pytest.raises(LocalError, match="damaged") as refused:
        postgres.create()
    assert "backup" in refused.value.hint


def test_damage_that_only_the_server_sees_ends_the_start(supervisor: Supervisor, postgres: Postgres) -> None:
    control = postgres.data / "global" / "pg_control"
    control.write_bytes(b"\0" * control.stat().st_size)
    supervisor.start(postgres.process())
    with pytest.raises(LocalError, match="postgres ended 5 times") as failed:
        supervisor.wait_until(postgres.accepts, timeout=30, what="PostgreSQL")
    assert "FATAL" in failed.value.hint


def test_an_interrupted_creation_is_done_again(tmp_path: Path) -> None:
    home = open_home(tmp_path / "var")
    half = home.postgres / "data.part"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    assert Postgres(home).create() is True
    assert not half.exists()


def test_failing_statements_are_not_quoted_in_the_log(supervisor: Supervisor, postgres: Postgres) -> None:
    start(supervisor, postgres)
    execute(postgres, "CREATE TABLE unique_text (text text UNIQUE)")
    execute(postgres, "INSERT INTO unique_text VALUES ('call 555-0100')")
    with pytest.raises(psycopg.errors.UniqueViolation):
        execute(postgres, "INSERT INTO unique_text VALUES ('call 555-0100')")
    log = postgres.log.read_text()
    assert "unique_text" in log
    assert "555-0100" not in log
