"""Times contestants in turn and compares them: what drifts, drifts for all."""

import dataclasses
import resource
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.busy import busy_seconds


@dataclasses.dataclass(frozen=True)
class Options:
    """What is asked of a question; each takes from it what concerns it."""

    rounds: int = 7
    device: str = "cpu"
    architectures: tuple[str, ...] = ("mnist", "cifar", "timit")
    preset: str = "quick"
    biotorch_env: str = ""


@dataclasses.dataclass(frozen=True)
class Taken:
    """Seconds that something took, by the clock and of processors.

    `elsewhere` are those of a process that lives on, so that they aren't taken for
    other programs' work.
    """

    wall: float
    cpu: float
    elsewhere: float = 0.0


@dataclasses.dataclass(frozen=True)
class Result:
    """What each contestant took in each round.

    Attributes:
        taken: A list for each contestant, one entry a round.
        others: How many cores other programs used meanwhile.
    """

    taken: dict[str, list[Taken]]
    others: float

    @property
    def rounds(self) -> int:
        return len(next(iter(self.taken.values())))

    def ratios(self, name: str, base: str) -> tuple[list[float], list[float]]:
        """Of each round: one contestant's time over another's; clock and processors."""
        pairs = list(zip(self.taken[name], self.taken[base], strict=True))
        return [a.wall / b.wall for a, b in pairs], [a.cpu / b.cpu for a, b in pairs]

    def seconds(self, name: str) -> tuple[list[float], list[float]]:
        """Of each round: what a contestant took, by the clock and of processors."""
        return [t.wall for t in self.taken[name]], [t.cpu for t in self.taken[name]]

    def differences(self, name: str, base: str) -> tuple[list[float], list[float]]:
        """Of each round: one contestant's time less another's."""
        pairs = list(zip(self.taken[name], self.taken[base], strict=True))
        return [a.wall - b.wall for a, b in pairs], [a.cpu - b.cpu for a, b in pairs]

    def row(self, values: tuple[list[float], list[float]], **more) -> dict[str, Any]:
        """A row of a table: the medians of one figure a round, and their range."""
        wall, cpu = values
        return row(
            statistics.median(wall),
            figure_cpu=statistics.median(cpu),
            low=min(wall),
            high=max(wall),
            rounds=self.rounds,
            others=self.others,
            **more,
        )


def row(figure: float, **more) -> dict[str, Any]:
    """A row of a table, as JSON has it.

    Args:
        figure: What was measured, by the clock where it is a time.
        **more: `case` and `name` (what was measured), `unit`, and as far as there are
            such: `goal` and `sense` ("at most" or "at least"), `figure_cpu` (the same
            by processor time), `low`, `high`, `rounds`, `others`, `seconds`, `note`.
    """
    return {
        key: round(value, 6) if isinstance(value, float) else value
        for key, value in ({"figure": figure} | more).items()
    }


def met(entry: Mapping[str, Any]) -> bool | None:
    """Whether a row's figure reaches its goal; None for a row without one."""
    if entry.get("goal") is None:
        return None
    if entry["sense"] == "at most":
        return entry["figure"] <= entry["goal"]
    return entry["figure"] >= entry["goal"]


def interleaved(contestants: Mapping[str, Callable[[], Any]], rounds: int) -> Result:
    """Times each contestant once a round: A B C, then C B A, and so on.

    Each is called once before, unmeasured: it traces, and fills caches.

    Args:
        contestants: Functions by name. One that returns a `Taken` was timed by itself.
        rounds: How many.
    """
    for call in contestants.values():
        call()
    taken: dict[str, list[Taken]] = {name: [] for name in contestants}
    busy = used = passed = 0.0
    for number in range(rounds):
        for name in list(contestants)[:: -1 if number % 2 else 1]:
            before = busy_seconds()
            whole, own = timed(contestants[name])
            busy += busy_seconds() - before
            used += whole.cpu + own.elsewhere
            passed += whole.wall
            taken[name].append(own)
    return Result(taken, max(0.0, busy - used) / passed)


def timed(call: Callable[[], Any]) -> tuple[Taken, Taken]:
    """Calls; returns what the call took, and what it says that it took itself."""
    wall, cpu = time.perf_counter(), _processor_seconds()
    returned = call()
    whole = Taken(time.perf_counter() - wall, _processor_seconds() - cpu)
    return whole, returned if isinstance(returned, Taken) else whole


def _processor_seconds():
    """Of this process with all its threads, and of its children that have ended."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + ended.ru_utime + ended.ru_stime
