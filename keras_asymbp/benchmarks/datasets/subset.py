"""The paper's random subsets: so many classes, and so many examples of each."""

import collections
import dataclasses
import functools
import hashlib
from collections.abc import Iterator, Sequence

import numpy as np

from keras_asymbp.benchmarks.datasets.tfds_folder import (
    TfdsFolder,
    tfds_root,
)
from keras_asymbp.benchmarks.errors import UsageError


@dataclasses.dataclass(frozen=True)
class Draw:
    """What was drawn: positions among all examples, and the classes' new numbers.

    Attributes:
        classes: Names of the classes that were drawn, in alphabetical order: a class's
            label is its place.
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
    """Draws classes, and of each class training and test examples.

    The order in which classes are taken is that of the SHA-256 of seed and name, and
    within a class that of seed and content: nothing else enters, neither the order of
    the examples nor a library's random numbers. Classes with `train + test` examples
    or more come first. Where these are too few, those with the most others follow, and
    give what they have: of each class `train` examples, and up to `test`.

    Args:
        names: Class of each example.
        digests: A digest of each example's content.
        classes: How many classes.
        train: Training examples of each class.
        test: Test examples of each class, where it has so many.
        seed: Of the draw.

    Raises:
        UsageError: If there aren't as many classes with more than `train` examples.

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
            f"expected {classes} or more, so the data set is not whole; prepare it anew"
        )

    def rank(name):
        missing = max(0, train + test - len(enough[name]))
        return missing, _digest(seed, name.encode()), name

    drawn = sorted(sorted(enough, key=rank)[:classes])
    chosen: tuple[list[int], list[int]] = [], []
    for name in drawn:
        # The position decides between examples of the same content.
        order = sorted(enough[name], key=lambda at: (_digest(seed, digests[at]), at))
        chosen[0].extend(order[:train])
        chosen[1].extend(order[train : train + test])
    return Draw(tuple(drawn), *(tuple(sorted(positions)) for positions in chosen))


def _digest(seed, content):
    return hashlib.sha256(b"%d:%s" % (seed, content)).digest()


@dataclasses.dataclass(frozen=True)
class Subset:
    """A subset of a prepared data set, drawn from some of its splits together.

    Attributes:
        source: The whole data set.
        splits: The splits to draw from, as TFDS takes them.
        classes: How many classes.
        train: Training examples of each class.
        test: Test examples of each class, where it has so many.
        seed: Of the draw; part of the version, and so of every result.
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
        return f"{self.source.version(data_dir)}-seed{self.seed}"

    def labels(self, data_dir: str | None) -> tuple[np.ndarray, np.ndarray]:
        names, drawn = self._draw(data_dir)
        number = {name: number for number, name in enumerate(drawn.classes)}
        train, test = (
            np.array([number[names[position]] for position in positions])
            for positions in (drawn.train, drawn.test)
        )
        return train, test

    def inputs(self, split: str, data_dir: str | None) -> Iterator[np.ndarray]:
        _, drawn = self._draw(data_dir)
        positions = np.array(getattr(drawn, split))
        yield from self.source.chosen(self.splits, positions, data_dir)

    def _draw(self, data_dir):
        place = str(tfds_root(data_dir)), self.source.version(data_dir)
        return _drawn(self, data_dir, place)


@functools.lru_cache(maxsize=1)
def _drawn(subset: Subset, data_dir: str | None, place: tuple) -> tuple[list, Draw]:
    """The class of each example, and the draw; read once while `place` is the same."""
    names, digests = subset.source.pool(subset.splits, data_dir)
    counts = subset.classes, subset.train, subset.test
    return names, draw(names, digests, *counts, subset.seed)
