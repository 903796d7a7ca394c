import os
import socket
from pathlib import Path

import pytest

from webapp.local.external import check_database, check_redis
from webapp.local.fetch_pip import newest_wheel
from webapp.local.home import (
    Home,
    LocalError,
    free_port,
    lock_holder,
    lock_home,
    open_home,
    require_free_space,
    write_private_json,
)
from webapp.local.stack import require_free_port


def test_a_second_run_on_one_home_is_kept_out(home: Home) -> None:
    lock = lock_home(home)
    with pytest.raises(BlockingIOError):
        lock_home(home)
    assert lock_holder(home) == os.getpid()
    os.close(lock)
    os.close(lock_home(home))


def test_files_with_secrets_are_for_the_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "demo.json"
    write_private_json(path, {"api_key": "first"})
    path.chmod(0o644)
    write_private_json(path, {"api_key": "second"})
    assert path.stat().st_mode & 0o777 == 0o600
    assert "second" in path.read_text()
    assert [entry.name for entry in tmp_path.iterdir()] == ["demo.json"]


def test_a_full_disk_is_reported_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="MB are free") as refused:
        require_free_space(tmp_path, 2**60)
    assert "COUNTERSIGN_HOME" in refused.value.hint


def test_a_home_that_is_a_file_is_reported(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("")
    with pytest.raises(LocalError, match="cannot create the data folder"):
        open_home(tmp_path / "var")


def test_a_taken_port_is_reported_with_another_to_try() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert free_port(port) != port
        with pytest.raises(LocalError, match=f"port {port} cannot be used") as refused:
            require_free_port(port)
    assert f"COUNTERSIGN_PORT={port + 1}" in refused.value.hint


@pytest.mark.parametrize(
    "url", ["postgres://me:hunter2@127.0.0.1:1/x", "sqlite:///hunter2", "postgres://me:hunter2@h:x/y"]
)
def test_a_database_that_cannot_be_used_is_reported_without_its_password(url: str) -> None:
    with pytest.raises(LocalError, match="DATABASE_URL") as refused:
        check_database(url)
    assert "DATABASE_URL" in refused.value.hint
    assert "hunter2" not in f"{refused.value} {refused.value.hint}"


@pytest.mark.parametrize("url", ["redis://:hunter2@127.0.0.1:1/0", "http://hunter2", "redis://:hunter2@h:x/0"])
def test_a_redis_that_cannot_be_used_is_reported_without_its_password(url: str) -> None:
    with pytest.raises(LocalError, match="REDIS_URL") as refused:
        check_redis(url)
    assert "hunter2" not in f"{refused.value} {refused.value.hint}"


def test_reachable_servers_are_accepted() -> None:
    assert check_database(os.environ["DATABASE_URL"]).startswith("127.0.0.1:")
    assert check_redis(os.environ["REDIS_URL"]).endswith("/0")


def test_the_newest_pip_of_an_index_is_chosen() -> None:
    page = "".join(
        f'<a href="https://files/{name}#sha256={digit * 64}" data-x="y">{name}</a>'
        for name, digit in (
            ("pip-9.0.1-py3-none-any.whl", "1"),
            ("pip-26.3-py3-none-any.whl", "2"),
            ("pip-27.0rc1-py3-none-any.whl", "3"),
            ("pip-26.3.tar.gz", "4"),
        )
    )
    assert newest_wheel(page) == ("https://files/", "pip-26.3-py3-none-any.whl", "2" * 64)
