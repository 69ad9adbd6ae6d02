"""The load of the machine by all programs, from /proc/stat (Linux)."""

import os
import time


def busy_cores(seconds: float = 2.0) -> float:
    """Number of cores that other programs used while this process slept."""
    before = busy_seconds()
    time.sleep(seconds)
    return (busy_seconds() - before) / seconds


def busy_seconds() -> float:
    """Busy seconds of all cores since the machine started."""
    with open("/proc/stat", encoding="utf-8") as file:
        times = [int(text) for text in file.readline().split()[1:]]
    user, nice, system, _, _, irq, softirq, *_ = times
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")
