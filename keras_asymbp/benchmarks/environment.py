"""What a figure depends on besides its settings: versions, machine, threads."""

import functools
import importlib.metadata
import os
import platform
from typing import Any

import keras_asymbp

_PACKAGES = ("tensorflow", "keras", "keras-tuner", "numpy")
# TensorFlow reads them when it is imported: of one operation, and between operations.
THREADS = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")


def cores() -> int:
    """How many cores this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not Linux
        return os.cpu_count() or 1


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
