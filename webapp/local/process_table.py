"""Which processes `manage.py up` runs beside PostgreSQL and Redis, and with what environment."""

import logging
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from webapp.local.processes import Process
from workers.broker import CONCLUDE, CONTROL, QUEUES, needed_queues
from workers.lines import LLM_SLOTS
from workers.model import usable_cores

log = logging.getLogger(__name__)
PROJECT = Path(__file__).resolve().parents[2]
WORKERS = 1  # stop_order: after the web server, before Redis and PostgreSQL.
SCREENING_OPTIONS = ["--without-mingle", "--without-gossip", "--without-heartbeat", "-l", "warning"]
#: The exact rules use the processor, one batch at a time; what waits for the guard model shares its batches; what waits
#: for guard LLMs only waits.
POOLS = {
    "screen.cpu": ["--pool", "solo"],
    "screen.gpu": ["--pool", "threads", "-c", "8"],
    "screen.llm": ["--pool", "threads", "-c", str(LLM_SLOTS)],
}
#: A batch needs the memory of the one before; to have the system give it afresh takes a good part of the model's time.
#: It stays in the heap, which keeps up to 256 MiB that are free, and so does not grow either.
TENSOR_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(32 << 20), "MALLOC_TRIM_THRESHOLD_": str(256 << 20)}


def processes(*, env: Mapping[str, str], port: int, run: Path) -> list[Process]:
    """Return the processes of one machine; `env` holds COUNTERSIGN_HOME, DATABASE_URL and REDIS_URL."""
    return [web(env, port), control(env), conclude(env), beat(env, run), *screening(env)]


def web(env: Mapping[str, str], port: int) -> Process:
    """Describe the web server: one process, so that micro-batches form in one place."""
    options = {
        "--interface": "asginl",
        "--host": "127.0.0.1",
        "--port": str(port),
        "--workers": "1",
        "--backlog": "1024",
        "--http": "1",
        "--workers-kill-timeout": "2",
        "--log-level": "warning",
    }
    flags = [word for pair in options.items() for word in pair]
    return _python("web", ["granian", *flags, "--no-ws", "--no-access-log", "webapp.asgi:application"], env, threads=1)


def control(env: Mapping[str, str]) -> Process:
    """Describe the worker whose tasks use the database: sweeps, the audit sequencer, exports."""
    return _control("control", CONTROL, env)


def conclude(env: Mapping[str, str]) -> Process:
    """Describe the worker that gives asynchronous checks their verdicts."""
    return _control("conclude", CONCLUDE, env)


def beat(env: Mapping[str, str], run: Path) -> Process:
    """Describe the clock that sends the periodic tasks."""
    options = ["--schedule", str(run / "beat"), "--pidfile=", "-l", "warning"]
    return _python("beat", ["celery", "-A", "webapp.celery", "beat", *options], env, threads=1, stop_order=WORKERS)


def screening(env: Mapping[str, str]) -> list[Process]:
    """Describe the workers that screen: for the exact rules, a GPU (or none) each, for guard LLMs if there are any."""
    # They get no way to the database: a screening host needs Redis alone.
    env = {name: value for name, value in env.items() if name != "DATABASE_URL"}
    table = [_screener("screen-cpu", "screen.cpu", "cpu", env, threads=1)]
    if QUEUES["llm"] in needed_queues(env):
        table.append(_screener("screen-llm", "screen.llm", "llm", env, threads=1))
    env = {**TENSOR_MEMORY, **env}
    # With the guard model on the processor a second worker would only take cores and memory from the first.
    gpus = [] if env.get("COUNTERSIGN_DEVICE") == "cpu" else computing_gpus()
    if not gpus:
        # Of classifiers; the guard model has a lane for each core.
        threads = max(1, usable_cores() - 1)
        return [*table, _screener("screen-gpu", "screen.gpu", "gpu", env, threads=threads)]
    for number, gpu in enumerate(gpus):
        one = {**env, "CUDA_VISIBLE_DEVICES": gpu}
        table.append(_screener(f"screen-gpu-{number}", "screen.gpu", f"gpu{number}", one, threads=2))
    return table


def computing_gpus() -> list[str]:
    """Return what CUDA_VISIBLE_DEVICES may name, one entry for each GPU on which torch computes."""
    visible = _visible_gpus()
    if not visible:
        return []
    # Asked in another process: torch takes seconds to load, and holds a GPU that it has asked. A driver that is too old
    # for it, or a build for the CPU alone, leaves GPUs that nvidia-smi lists.
    command = [sys.executable, "-m", "workers.runtimes.devices"]
    try:
        answer = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True, timeout=120, cwd=PROJECT)  # noqa: S603 -- ours
    except (OSError, subprocess.SubprocessError) as error:
        log.warning("no GPU is used: %s", error)
        return []
    return [visible[int(number)] for number in answer.stdout.split()]


def _visible_gpus() -> list[str]:
    if "CUDA_VISIBLE_DEVICES" in os.environ:
        return [name for name in os.environ["CUDA_VISIBLE_DEVICES"].split(",") if name.strip() not in ("", "-1")]
    try:
        listing = subprocess.run(["nvidia-smi", "-L"], capture_output=True, check=True, text=True, timeout=20)  # noqa: S607 -- wherever the driver put it
    except (OSError, subprocess.SubprocessError):
        return []
    return re.findall(r"^GPU (\d+):", listing.stdout, flags=re.MULTILINE)


def _control(name: str, queue: str, env: Mapping[str, str]) -> Process:
    options = ["-Q", queue, "--pool", "threads", "-c", "4", "-n", f"{name}@%h", "-l", "warning"]
    return _python(name, ["celery", "-A", "webapp.celery", "worker", *options], env, threads=1, stop_order=WORKERS)


def _screener(name: str, queue: str, node: str, env: Mapping[str, str], *, threads: int) -> Process:
    command = [
        "celery",
        "-A",
        "workers.app",
        "worker",
        "-Q",
        queue,
        "-n",
        f"{node}@%h",
        *POOLS[queue],
        *SCREENING_OPTIONS,
    ]
    return _python(name, command, env, threads=threads, stop_order=WORKERS)


def _python(name: str, module: list[str], env: Mapping[str, str], *, threads: int, stop_order: int = 0) -> Process:
    numeric = {
        "OMP_NUM_THREADS": str(threads),
        "OPENBLAS_NUM_THREADS": str(threads),
        "MKL_NUM_THREADS": str(threads),
        "TOKENIZERS_PARALLELISM": "false",
        # glibc would keep what each thread once needed, and put large things among small ones as soon as one was freed:
        # with a threshold of our own, they go back to the system at once.
        "MALLOC_ARENA_MAX": "1",
        "MALLOC_MMAP_THRESHOLD_": str(1 << 17),
        "PYTHONUNBUFFERED": "1",
    }
    # What an operator sets wins over these defaults.
    merged = {**numeric, **env}
    return Process(name, [sys.executable, "-m", *module], merged, PROJECT, stop_order=stop_order)
