"""The paper's random subsets: some classes, and some examples of each."""

import collections
import dataclasses
import functools
import hashlib
from collections.abc import Iterator, Sequence

import numpy as np

from keras_asymbp.benchmarks.datasets import foreign
from keras_asymbp.benchmarks.datasets.tfds_folder import TfdsFolder
from keras_asymbp.benchmarks.errors import UsageError


@dataclasses.dataclass(frozen=True)
class Draw:
    """The drawn classes and examples.

    Attributes:
        classes: Names of the classes, in alphabetical order; a label is an index into
            them.
        train: Positions of the training examples, in rising order.
        test: Positions of the test examples, in rising order.
    """

    classes: tuple[str, ...]
    train: tuple[int, ...]
    test: tuple[int, ...]


def draw(
    names: Sequence[str],
    digests: Sequence[bytes],
    classes: int,
    train: int,
    test: int,
    seed: int,
) -> Draw:
    """Draws classes, and training and test examples of each.

    Classes are taken in the order of the SHA-256 of seed and name, examples within a
    class in that of seed and content. The draw depends on nothing else, neither on the
    order of the examples nor on a library's random numbers. Classes with at least
    `train + test` examples come first. If these are too few, the largest of the others
    follow, with `train` training examples and all the rest for testing.

    Args:
        names: Class of each example.
        digests: Digest of each example's content.
        classes: Number of classes.
        train: Number of training examples of each class.
        test: Number of test examples of each class, at most.
        seed: Seed of the draw.

    Raises:
        UsageError: If fewer than `classes` classes have more than `train` examples.

    >>> drawn = draw("aabbbcccc", [bytes([n]) for n in range(9)], 2, 2, 1, seed=0)
    >>> drawn.classes, len(drawn.train), len(drawn.test)
    (('b', 'c'), 4, 2)
    """
    members = collections.defaultdict(list)
    for position, name in enumerate(names):
        members[name].append(position)
    enough = {name: found for name, found in members.items() if len(found) > train}
    if len(enough) < classes:
        raise UsageError(
            f"{len(enough)} of {len(members)} classes have more than {train} examples: "
            f"expected {classes} or more; the data set is incomplete: "
            f"{foreign.PREPARE_AGAIN}"
        )

    def rank(name):
        missing = max(0, train + test - len(enough[name]))
        return missing, _digest(seed, name.encode()), name

    drawn = sorted(sorted(enough, key=rank)[:classes])
    chosen: tuple[list[int], list[int]] = [], []
    for name in drawn:
        # The position breaks ties between examples of equal content.
        order = sorted(enough[name], key=lambda at: (_digest(seed, digests[at]), at))
        chosen[0].extend(order[:train])
        chosen[1].extend(order[train : train + test])
    return Draw(tuple(drawn), *(tuple(sorted(positions)) for positions in chosen))


def _digest(seed, content):
    return hashlib.sha256(b"%d:%s" % (seed, content)).digest()


@dataclasses.dataclass(frozen=True)
class Subset:
    """A random subset of a prepared data set.

    Attributes:
        source: The whole data set.
        splits: The splits to draw from, in the syntax of TFDS, such as "train+test".
        classes: Number of classes.
        train: Number of training examples of each class.
        test: Number of test examples of each class, at most.
        seed: Seed of the draw; with the counts it is part of the version, and so of
            every result.
    """

    source: TfdsFolder
    splits: str
    classes: int
    train: int
    test: int
    seed: int = 0

    @property
    def in_memory(self) -> bool:
        return False

    def version(self, data_dir: str | None) -> str:
        whole = self.source.identity((self.splits,), data_dir)
        counts = f"{self.classes}x{self.train}+{self.test}"
        return f"{whole}-{counts}-seed{self.seed}"

    def labels(self, data_dir: str | None) -> tuple[np.ndarray, np.ndarray]:
        names, drawn = self._draw(data_dir)
        label = {name: index for index, name in enumerate(drawn.classes)}
        train, test = (
            np.array([label[names[position]] for position in positions])
            for positions in (drawn.train, drawn.test)
        )
        return train, test

    def inputs(self, split: str, data_dir: str | None) -> Iterator[np.ndarray]:
        _, drawn = self._draw(data_dir)
        positions = np.array(getattr(drawn, split))
        yield from self.source.inputs_at(self.splits, positions, data_dir)

    def _draw(self, data_dir):
        return _drawn(self, data_dir, self.version(data_dir))


@functools.lru_cache(maxsize=1)
def _drawn(subset: Subset, data_dir: str | None, version: str) -> tuple[list, Draw]:
    """The class of each example, and the draw; cached by the content of the data."""
    names, digests = subset.source.pool(subset.splits, data_dir)
    counts = subset.classes, subset.train, subset.test
    return names, draw(names, digests, *counts, subset.seed)
