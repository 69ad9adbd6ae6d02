"""What `keras-asymbp run --list` prints: the names to choose from, by topic."""

import itertools
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence

from keras_asymbp.benchmarks import datasets, networks
from keras_asymbp.benchmarks.counting import counted
from keras_asymbp.benchmarks.errors import unknown
from keras_asymbp.benchmarks.tables import experiments, readings
from keras_asymbp.benchmarks.tables.experiments import Experiment
from keras_asymbp.benchmarks.tables.protocol import PRESETS

_WIDTH = 80
_NAMES = 16  # width of the column of names
_SPACE = "\N{NO-BREAK SPACE}"


def text(topic: str | None = None, own: Sequence[Experiment] = ()) -> str:
    """The names of a topic, or of all.

    Args:
        topic: The topic; None for all.
        own: The user's own experiments, listed with the package's.

    Raises:
        UsageError: If the topic is unknown.
    """
    if topic is not None and topic not in TOPICS:
        raise unknown("topic of --list", topic, TOPICS)
    topics = TOPICS if topic is None else (topic,)
    lines = {name: [*TOPICS[name]()] for name in topics}
    if "experiments" in lines:
        lines["experiments"] += [line for each in own for line in _experiment(each)]
    return "\n\n".join(map("\n".join, lines.values()))


def _experiments() -> Iterator[str]:
    yield "Experiments, for --exp, and their models, for --models"
    for experiment in experiments.ALL.values():
        yield from _experiment(experiment)


def _experiment(experiment):
    yield from _row(experiment.name, f"{experiment.title} ({experiment.table})")
    yield from _row("", _joined(column.name for column in experiment.columns))


def _presets() -> Iterator[str]:
    yield "Presets, for --preset"
    for name, preset in PRESETS.items():
        counts = preset.train_examples, preset.test_examples
        epochs = counted(preset.epochs, "epoch")
        cut = f", {counts[0]} + {counts[1]} examples" if counts[0] else ""
        rates = len(preset.learning_rates)
        yield from _row(name, f"{epochs}, {rates} learning rates{cut}")


def _datasets() -> Iterator[str]:
    yield "Data sets, for --datasets; training + test examples"
    for dataset in datasets.DATASETS.values():
        yield from _row(dataset.name, dataset.description)


def _networks() -> Iterator[str]:
    yield "Networks, for --architecture; in parentheses, the size of the inputs"
    kinds: dict[str, list[str]] = {"Table 1": [*networks.TABLE_1], "later ones": []}
    for name, family in networks.FAMILIES.items():
        kinds[name] = [*family.networks()]
    kinds["Keras's own"] = []
    listed = {name for names in kinds.values() for name in names}
    for name, network in networks.NETWORKS.items():
        is_keras = isinstance(network.layers[0], networks.Application)
        if name not in listed:
            kinds["Keras's own" if is_keras else "later ones"].append(name)
    for kind, names in kinds.items():
        sized = (
            f"{_joined(names)}{_SPACE}({size})"
            for size, names in itertools.groupby(names, _size)
        )
        yield from _row(kind, "; ".join(sized))


def _size(name):
    return "x".join(map(str, networks.NETWORKS[name].input_shape))


def _readings() -> Iterator[str]:
    yield "Readings of what the paper leaves open, for --reading"
    yield from _row("", _joined(readings.READINGS))
    for network in networks.TABLE_1:
        yield from _row(network, f"{readings.default(network).name} by default")


def _row(name: str, words: str) -> list[str]:
    lines = textwrap.wrap(
        words,
        _WIDTH,
        initial_indent=f"  {name:<{_NAMES}}",
        subsequent_indent=" " * (_NAMES + 2),
        break_on_hyphens=False,
        break_long_words=False,
    )
    return [line.replace(_SPACE, " ") for line in lines]


def _joined(names: Iterable[str]) -> str:
    """Names with commas; none is divided at the end of a line."""
    return ", ".join(name.replace(" ", _SPACE) for name in names)


TOPICS: dict[str, Callable[[], Iterator[str]]] = {
    "experiments": _experiments,
    "presets": _presets,
    "datasets": _datasets,
    "networks": _networks,
    "readings": _readings,
}
