"""Times contestants in turn, so that a drift of the machine meets all of them."""

import dataclasses
import resource
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from benchmarks.busy import busy_seconds


@dataclasses.dataclass(frozen=True)
class Options:
    """Options of all questions; each question reads those that concern it."""

    rounds: int = 7
    device: str = "cpu"
    architectures: tuple[str, ...] = ("mnist", "cifar", "timit")
    preset: str = "quick"
    biotorch_env: str = ""


@dataclasses.dataclass(frozen=True)
class Taken:
    """Seconds of a measurement.

    Attributes:
        wall: Wall-clock time.
        cpu: Processor time.
        elsewhere: Processor time of a process that lives on: our work, which the
            operating system does not count as this process's.
    """

    wall: float
    cpu: float
    elsewhere: float = 0.0


@dataclasses.dataclass(frozen=True)
class Result:
    """The times of all contestants.

    Attributes:
        taken: A list for each contestant, with one entry for each round.
        others: Number of cores that other programs used meanwhile.
    """

    taken: dict[str, list[Taken]]
    others: float

    @property
    def rounds(self) -> int:
        return len(next(iter(self.taken.values())))

    def ratios(self, name: str, base: str) -> tuple[list[float], list[float]]:
        """One contestant's time over another's in each round; wall-clock, processor."""
        pairs = list(zip(self.taken[name], self.taken[base], strict=True))
        return [a.wall / b.wall for a, b in pairs], [a.cpu / b.cpu for a, b in pairs]

    def seconds(self, name: str) -> tuple[list[float], list[float]]:
        """A contestant's seconds in each round; wall-clock, processor."""
        return [t.wall for t in self.taken[name]], [t.cpu for t in self.taken[name]]

    def differences(self, name: str, base: str) -> tuple[list[float], list[float]]:
        """One contestant's time less another's in each round; wall-clock, processor."""
        pairs = list(zip(self.taken[name], self.taken[base], strict=True))
        return [a.wall - b.wall for a, b in pairs], [a.cpu - b.cpu for a, b in pairs]

    def row(self, values: tuple[list[float], list[float]], **more) -> dict[str, Any]:
        """A row of a table: the median of a figure over the rounds, and its range."""
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

    def times(self, case: str, unit: str = "s a step") -> Iterator[dict[str, Any]]:
        """A row with the seconds of each contestant."""
        for name in self.taken:
            yield self.row(self.seconds(name), case=case, name=name, unit=unit)


def row(figure: float, **more) -> dict[str, Any]:
    """A row of a table, as it is stored in JSON.

    Args:
        figure: The measured value; of a time, the wall-clock time.
        **more: `case`, `name` and `unit`, and where they apply `goal` and `sense` ("at
            most" or "at least"), `figure_cpu` (by processor time), `low`, `high`,
            `rounds`, `others`, `size`, `note`.
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

    A first, unmeasured call of each traces and fills caches.

    Args:
        contestants: Functions by name. A function that returns a `Taken` times itself.
        rounds: Number of rounds.
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
    """Calls; returns the time of the call, and the time that it reports itself."""
    wall, cpu = time.perf_counter(), _processor_seconds()
    returned = call()
    whole = Taken(time.perf_counter() - wall, _processor_seconds() - cpu)
    return whole, returned if isinstance(returned, Taken) else whole


def _processor_seconds():
    """Processor time of this process, all its threads, and its ended children."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + ended.ru_utime + ended.ru_stime
