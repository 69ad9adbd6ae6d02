"""What a figure depends on besides its settings: versions, machine, threads."""

import functools
import glob
import importlib.metadata
import os
import pathlib
import platform
import sys
from typing import Any

import keras_asymbp

_PACKAGES = ("tensorflow", "keras", "keras-tuner", "numpy")
# TensorFlow reads them when it is imported: of one operation, and between operations.
THREADS = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
# Bytes that a process needs to train: the largest network of Table 1 takes 2 GB.
_PROCESS_BYTES = 2**31


def cores() -> int:
    """How many cores this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not Linux
        return os.cpu_count() or 1


def gpus() -> list[str]:
    """The names of the GPUs that this process may use."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return [name for name in visible.split(",") if name]
    count = len(glob.glob("/proc/driver/nvidia/gpus/*"))
    return [str(number) for number in range(count)]


def memory() -> tuple[int, int | None]:
    """Bytes of this machine's memory, and how many of them are free.

    Without end, and None, where that can't be asked.
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
    """How many processes get most done on this machine.

    One a GPU, or where there is none one a core: two processes of one thread do more
    than one of two, as `benchmarks/throughput.py` measures. No more than there is
    memory for, and no more than cells.

    Args:
        cells: How many there are to run.
    """
    most = len(gpus()) or min(cores(), memory()[0] // _PROCESS_BYTES)
    return max(1, min(most, cells))


def threads(wanted: int | None, share: int) -> dict[str, str]:
    """The variables that give a process that is to train its threads.

    Args:
        wanted: How many the user asked for, or None: then what the user has set in the
            environment stays.
        share: How many it gets where the user said nothing.
    """
    return {name: str(wanted or os.environ.get(name) or share) for name in THREADS}


def describe(deterministic: bool) -> dict[str, Any]:
    """`versions` and `machine`, as they are stored with a trial of this process.

    Args:
        deterministic: Whether TensorFlow was told to be.
    """
    return {
        "versions": _versions(),
        "machine": {
            "system": f"{platform.system()} {platform.machine()}",
            "processor": _processor(),
            "cores": os.cpu_count(),
            "onednn": os.environ.get("TF_ENABLE_ONEDNN_OPTS"),
            "threads": int(os.environ.get(THREADS[0]) or cores()),
            "deterministic": deterministic,
        },
    }


@functools.cache
def _versions():
    return {
        "keras-asymbp": keras_asymbp.__version__,
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in _PACKAGES},
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
