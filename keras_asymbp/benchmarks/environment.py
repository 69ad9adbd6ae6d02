"""The environment that a figure depends on: versions, machine, threads."""

import functools
import glob
import importlib.metadata
import importlib.util
import itertools
import json
import os
import pathlib
import platform
import re
import sys
from typing import Any

import keras_asymbp
from keras_asymbp.benchmarks.errors import UsageError, unknown

# The variables with the number of threads of each backend, which reads them on import:
# TensorFlow's within an operation and across operations, XLA's pool.
THREADS = {
    "tensorflow": ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"),
    "jax": ("NPROC",),
}
BACKENDS = tuple(THREADS)
# Processes that share a GPU take its memory as they need it.
GPU_MEMORY = {
    "TF_FORCE_GPU_ALLOW_GROWTH": "true",
    "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
}
# A number, or the start of an identifier.
_GPU = re.compile(r"\d+|(GPU|MIG)-.+", re.ASCII)
# Bytes that a training process needs: the largest network of Table 1 takes 2 GB.
_PROCESS_BYTES = 2**31


def cores() -> int:
    """Number of cores available to this process."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not Linux
        return os.cpu_count() or 1


def gpus() -> list[str]:
    """Names of the GPUs available to this process.

    As CUDA reads CUDA_VISIBLE_DEVICES: the names up to the first that is none, as -1.
    """
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        names = (name.strip() for name in visible.split(","))
        return list(itertools.takewhile(_GPU.fullmatch, names))
    count = len(glob.glob("/proc/driver/nvidia/gpus/*"))
    return [str(number) for number in range(count)]


def memory() -> tuple[int, int | None]:
    """Total and free bytes of this machine's memory.

    `sys.maxsize` and None where the system does not tell.
    """
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):  # not POSIX
        total = sys.maxsize
    try:
        lines = pathlib.Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:  # not Linux
        return total, None
    free = next(line for line in lines if line.startswith("MemAvailable:"))
    return total, int(free.split()[1]) * 1024


def jobs(cells: int) -> int:
    """Number of processes with the highest throughput on this machine.

    One per GPU, or without a GPU one per core: two processes of one thread outperform
    one process of two, as `benchmarks/throughput.py` measures. Limited by memory and by
    the number of cells.

    Args:
        cells: Number of cells to run.
    """
    most = len(gpus()) or min(cores(), memory()[0] // _PROCESS_BYTES)
    return max(1, min(most, cells))


def threads(requested: int | None, default: int) -> dict[str, str]:
    """Environment variables that set the number of threads of a training process.

    Args:
        requested: Number that the user requested, if any.
        default: Number for variables that the user has not set either.

    Raises:
        UsageError: If a variable is not a number of threads.
    """
    return {
        name: str(requested or _threads_set(name) or default)
        for name in THREADS[backend()]
    }


def _threads_set(name: str) -> int:
    """The number of threads in an environment variable; 0 if it leaves the choice."""
    text = os.environ.get(name) or "0"
    # TensorFlow reads 32 bits.
    if re.fullmatch(r"\d{1,10}", text, re.ASCII) and int(text) < 2**31:
        return int(text)
    raise UsageError(
        f"the environment variable {name} must be a number of threads, not '{text}': "
        "unset it, or give --threads"
    )


def backend() -> str:
    """The backend that Keras has, or will have when it is imported."""
    if keras := sys.modules.get("keras"):
        return keras.backend.backend()
    return os.environ.get("KERAS_BACKEND") or _configured_backend()


def check_backend(requested: str | None) -> None:
    """Checks that a requested backend, if any, is one of `BACKENDS`.

    Raises:
        UsageError: If it isn't.
    """
    if requested is not None and requested not in BACKENDS:
        raise unknown("backend", requested, BACKENDS)


def choose_backend(requested: str | None) -> None:
    """Chooses the backend of Keras in this process and in those that it starts.

    Args:
        requested: One of `BACKENDS`; None for Keras's own choice.

    Raises:
        UsageError: If the suite can't train on it, or Keras has another already.
        ModuleNotFoundError: If it is not installed.
    """
    check_backend(requested)
    chosen = requested or backend()
    if chosen not in BACKENDS:
        raise UsageError(
            f"the benchmarks train on {' or '.join(BACKENDS)}, and Keras's backend is "
            f"{chosen}: choose another with --backend"
        )
    if "keras" in sys.modules and backend() != chosen:
        raise UsageError(
            f"Keras is imported with the backend {backend()}, not {chosen}: start a "
            "new process"
        )
    if importlib.util.find_spec(chosen) is None:
        raise ModuleNotFoundError(f"no module named {chosen!r}", name=chosen)
    os.environ["KERAS_BACKEND"] = chosen


def require_jax(name: str) -> None:
    """Refuses whole epochs on another backend.

    Args:
        name: The backend.

    Raises:
        UsageError: If it is not JAX.
    """
    if name != "jax":
        raise UsageError("--whole_epochs needs JAX: choose it with --backend jax")


def _configured_backend() -> str:
    """The backend of keras.json, read as Keras does, which is slow to import."""
    home = os.environ.get("KERAS_HOME") or os.path.expanduser("~/.keras")
    try:
        text = pathlib.Path(home, "keras.json").read_text(encoding="utf-8")
        return json.loads(text).get("backend", "tensorflow")
    except (OSError, ValueError, AttributeError, RecursionError):
        return "tensorflow"


def describe(**training: Any) -> dict[str, Any]:
    """`versions` and `machine` of this process, as stored with a trial.

    Args:
        **training: What is known of the machine only where it trains; see
            `training.device`.
    """
    name = backend()
    return {
        "versions": _versions(name),
        "machine": {
            "system": f"{platform.system()} {platform.machine()}",
            "processor": _processor(),
            "backend": name,
            "cores": os.cpu_count(),
            "onednn": os.environ.get("TF_ENABLE_ONEDNN_OPTS"),
            "threads": _threads_set(THREADS[name][0]) or cores(),
            **training,
        },
    }


@functools.cache
def _versions(backend_name):
    packages = backend_name, "keras", "keras-tuner", "numpy"
    return {
        "keras-asymbp": keras_asymbp.__version__,
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in packages},
    }


@functools.cache
def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass  # not Linux
    return platform.processor() or platform.machine()
