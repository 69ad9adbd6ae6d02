"""Data sets of a text: which character comes next?"""

import dataclasses
import functools
import pathlib
from collections.abc import Iterator

import numpy as np

from keras_asymbp.benchmarks.datasets.dataset import SPLITS

# Capitals count as small letters, and characters beside these are left out.
SYMBOLS = "\n !',-.:;?abcdefghijklmnopqrstuvwxyz"
# One-hot vectors made at once.
_BATCH = 1000


@dataclasses.dataclass(frozen=True)
class Text:
    """Windows of a text, each labelled with the character that follows it.

    An input is `context` characters in succession, one-hot: bool (context, symbols).
    The training windows come from the beginning of the text and the test windows from
    its end, in equal distances, and no character is in both.

    Attributes:
        path: The text, in UTF-8.
        fixed_version: Its version, and that of the windows.
        counts: Numbers of training and test windows.
        context: Characters in a window.
        test_share: Share of the text for the test windows.
    """

    path: pathlib.Path
    fixed_version: str
    counts: tuple[int, int]
    context: int = 32
    test_share: float = 0.1

    @property
    def in_memory(self) -> bool:
        return True

    def version(self, data_dir: str | None) -> str:
        return self.fixed_version

    def labels(self, data_dir: str | None) -> tuple[np.ndarray, np.ndarray]:
        train, test = (
            numbers[starts + self.context]
            for numbers, starts in map(self._windows, SPLITS)
        )
        return train, test

    def inputs(self, split: str, data_dir: str | None) -> Iterator[np.ndarray]:
        numbers, starts = self._windows(split)
        one_hot = np.eye(len(SYMBOLS), dtype=bool)
        for first in range(0, len(starts), _BATCH):
            rows = starts[first : first + _BATCH, None] + np.arange(self.context)
            yield one_hot[numbers[rows]]

    def _windows(self, split):
        """The numbers of a split's characters, and the start of each window."""
        numbers = _numbers(self.path)
        cut = round(len(numbers) * (1 - self.test_share))
        part = numbers[:cut] if split == "train" else numbers[cut:]
        count = self.counts[SPLITS.index(split)]
        starts = np.linspace(0, len(part) - self.context - 1, count)
        return part, starts.astype(np.int64)


@functools.lru_cache(maxsize=1)  # a load asks for labels and inputs of both splits
def _numbers(path):
    """The number in SYMBOLS of each of a text's characters; do not change it."""
    text = path.read_text(encoding="utf-8").lower()
    return np.array([SYMBOLS.index(each) for each in text if each in SYMBOLS])
