import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.local.leftovers import left_over, processes_of
from webapp.local.home import LocalError
from webapp.local.processes import Process, Supervisor

SLEEP = "import time; time.sleep(600)"
IGNORE_TERM = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); open('ready', 'w'); time.sleep(600)"
WITH_CHILD = "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']); "


def python(name: str, code: str, folder: Path, **options: float) -> Process:
    return Process(
        name,
        [sys.executable, "-c", code],
        cwd=folder,
        stop_order=int(options.get("stop_order", 0)),
        stop_seconds=options.get("stop_seconds", 2.0),
    )


def until(supervisor: Supervisor, probe: Callable[[], bool]) -> None:
    supervisor.wait_until(probe, timeout=10, what="the test", interval=0.02)


def test_a_killed_process_is_started_again(tmp_path: Path) -> None:
    news: list[str] = []
    with Supervisor(tmp_path, report=news.append) as supervisor:
        supervisor.start(python("sleeper", SLEEP, tmp_path))
        for _ in range(6):  # More often than a process may crash by itself.
            until(supervisor, lambda: supervisor.pid("sleeper") is not None)
            killed = supervisor.pid("sleeper")
            assert killed is not None
            os.kill(killed, signal.SIGKILL)
            until(supervisor, lambda killed=killed: supervisor.pid("sleeper") not in (None, killed))  # type: ignore[misc]
            if len(news) == 3:
                break
    assert news[0] == "sleeper ended (signal SIGKILL); starting it again"
    assert left_over(tmp_path) == []


def test_a_process_that_keeps_crashing_is_given_up_with_its_last_words(tmp_path: Path) -> None:
    with Supervisor(tmp_path, report=lambda line: None) as supervisor:
        supervisor.start(python("broken", "import sys; sys.exit('no model file')", tmp_path))
        with pytest.raises(LocalError, match=r"broken ended 5 times in a row \(exit status 1\)") as failed:
            supervisor.wait()
    assert "no model file" in failed.value.hint


def test_a_program_that_is_missing_is_reported(tmp_path: Path) -> None:
    with Supervisor(tmp_path, report=lambda line: None) as supervisor:
        supervisor.start(Process("ghost", ["/nonexistent/ghost"]))
        with pytest.raises(LocalError, match="ghost cannot be started"):
            supervisor.wait()


def test_a_process_that_ignores_the_stop_signal_is_killed(tmp_path: Path) -> None:
    with Supervisor(tmp_path, report=lambda line: None) as supervisor:
        supervisor.start(python("stubborn", IGNORE_TERM, tmp_path, stop_seconds=0.3))
        until(supervisor, (tmp_path / "ready").exists)
        began = time.monotonic()
    assert time.monotonic() - began < 3
    assert left_over(tmp_path) == []


def test_children_of_children_end_too(tmp_path: Path) -> None:
    with Supervisor(tmp_path, report=lambda line: None) as supervisor:
        supervisor.start(python("parent", WITH_CHILD + "time.sleep(600)", tmp_path))
        until(supervisor, lambda: len(processes_of(tmp_path)) == 2)
    assert left_over(tmp_path) == []


def test_processes_stop_in_order(tmp_path: Path) -> None:
    code = (
        "import signal, sys, time\n"
        "def stop(*_):\n    open('order', 'a').write(sys.argv[1]); sys.exit()\n"
        "signal.signal(signal.SIGTERM, stop); open(sys.argv[1], 'w'); time.sleep(600)"
    )
    with Supervisor(tmp_path, report=lambda line: None) as supervisor:
        for order, name in ((2, "c"), (0, "a"), (1, "b")):
            command = [sys.executable, "-c", code, name]
            supervisor.start(Process(name, command, cwd=tmp_path, stop_order=order))
        until(supervisor, lambda: all((tmp_path / name).exists() for name in "abc"))
    assert (tmp_path / "order").read_text() == "abc"


def test_children_do_not_outlive_a_killed_supervisor(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from webapp.local.processes import Process, Supervisor\n"
        "place = Path(sys.argv[1])\n"
        "with Supervisor(place, report=print) as supervisor:\n"
        f"    for number, code in enumerate([{WITH_CHILD + 'time.sleep(600)'!r}, {IGNORE_TERM!r}]):\n"
        "        supervisor.start(Process(f'child-{number}', [sys.executable, '-c', code], cwd=place))\n"
        "    supervisor.wait()\n"
    )
    supervisor = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)])
    deadline = time.monotonic() + 20
    while len(processes_of(tmp_path)) < 4 or not (tmp_path / "ready").exists():
        assert time.monotonic() < deadline, processes_of(tmp_path)
        time.sleep(0.05)
    supervisor.kill()
    supervisor.wait()
    assert left_over(tmp_path) == []


def test_a_step_that_fails_shows_its_output(tmp_path: Path) -> None:
    with Supervisor(tmp_path, report=lambda line: None) as supervisor:
        step = Process("migrate", [sys.executable, "-c", "import sys; sys.exit('disk full')"], restart=False)
        with pytest.raises(LocalError, match=r"migrate failed") as failed:
            supervisor.run(step, timeout=20)
    assert "disk full" in failed.value.hint


def test_logs_of_earlier_runs_are_kept(tmp_path: Path) -> None:
    for number in range(6):
        with Supervisor(tmp_path, report=lambda line: None) as supervisor:
            step = Process("step", [sys.executable, "-c", f"print('run {number}')"], restart=False)
            supervisor.run(step, timeout=20)
    texts = {path.name: path.read_text().strip() for path in tmp_path.iterdir()}
    assert texts == {"step.log": "run 5", "step.log.1": "run 4", "step.log.2": "run 3", "step.log.3": "run 2"}
