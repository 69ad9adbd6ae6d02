"""Names of setups that are shown together, and the settings that set them apart."""

import collections
from collections.abc import Sequence

from keras_asymbp.benchmarks.counting import counted
from keras_asymbp.benchmarks.tables.plan import Setup
from keras_asymbp.benchmarks.tables.protocol import REVISION


def labels(setups: Sequence[Setup]) -> tuple[str, ...]:
    """A unique name for each setup: its data set, and details that tell it from others.

    A detail is part of a name only if setups have the same name without it.

    Args:
        setups: The setups that are shown together, each once.
    """
    names = [setup.dataset.name for setup in setups]
    numbers = (f"no. {number}" for number in range(1, len(setups) + 1))
    of_all = [*map(_details, setups)]
    for texts in (*zip(*of_all, strict=True), tuple(numbers)):
        alike = collections.defaultdict(set)
        for name, text in zip(names, texts, strict=True):
            alike[name].add(text)
        names = [
            f"{name}, {text}" if text and len(alike[name]) > 1 else name
            for name, text in zip(names, texts, strict=True)
        ]
    return tuple(names)


def requested(setup: Setup) -> tuple[str, ...]:
    """The requested deviations from the defaults, each empty if there is none."""
    protocol = setup.protocol
    share, reading = protocol.validation_share, setup.requested_reading
    return (
        _examples(protocol.train_examples, "training"),
        _examples(protocol.test_examples, "test"),
        f"{100 * share:g} % of the training examples held out" if share else "",
        f"the network '{protocol.architecture}'" if protocol.architecture else "",
        f"{protocol.augmentation} augmentation" if protocol.augmentation else "",
        f"the reading '{reading.name}'" if reading else "",
        f"revision {protocol.revision} of the suite"
        if protocol.revision != REVISION
        else "",
    )


def seeds(numbers: Sequence[int]) -> str:
    """Seeds by number: "seeds 0" would read as none.

    >>> seeds((0,)), seeds((0, 1, 2))
    ('seed 0', 'seeds 0, 1, 2')
    """
    return f"seed{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers))}"


def _details(setup):
    return (
        *requested(setup),
        f"version {setup.version}",
        f"{setup.base}, {counted(setup.protocol.epochs, 'epoch')}",
        seeds(setup.seeds),
    )


def _examples(count, kind):
    return f"{count:,} {kind} examples" if count else ""
