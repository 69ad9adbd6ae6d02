"""A look at a data set: its class counts and a picture of examples."""

import dataclasses
import pathlib

import numpy as np

from keras_asymbp.benchmarks.datasets.dataset import Arrays, Dataset

_CLASSES, _EXAMPLES = 10, 10
# The features of one frame of TIMIT's inputs.
_FEATURES = 123


@dataclasses.dataclass(frozen=True)
class Counts:
    """The counts of a split.

    Attributes:
        split: "train" or "test".
        examples: Number of examples.
        per_class: Number of examples of each class (num_classes,).
    """

    split: str
    examples: int
    per_class: np.ndarray

    def __str__(self) -> str:
        least, most = self.per_class.min(), self.per_class.max()
        each = f"{least}" if least == most else f"{least} to {most}"
        return (
            f"{self.split}: {self.examples} examples of {len(self.per_class)} classes, "
            f"{each} of each"
        )


def count(dataset: Dataset, arrays: Arrays) -> list[Counts]:
    """Counts the examples of each class in each split."""
    return [
        Counts(split, len(y), np.bincount(y, minlength=dataset.num_classes))
        for split, y in (("train", arrays.y_train), ("test", arrays.y_test))
    ]


def draw(arrays: Arrays, path: pathlib.Path) -> None:
    """Draws ten training examples of each of ten classes, a row a class.

    Args:
        arrays: The data set.
        path: The PNG file to write.
    """
    import matplotlib.figure

    classes = np.unique(arrays.y_train)
    spread = np.linspace(0, len(classes) - 1, min(_CLASSES, len(classes)))
    classes = classes[spread.astype(int)]
    figure = matplotlib.figure.Figure(
        figsize=(_EXAMPLES, len(classes)), layout="constrained"
    )
    panels = figure.subplots(len(classes), _EXAMPLES, squeeze=False)
    for row, label in zip(panels, classes, strict=True):
        found = np.flatnonzero(arrays.y_train == label)[:_EXAMPLES]
        for panel in row:
            panel.set_axis_off()
        for panel, position in zip(row, found, strict=False):
            panel.imshow(_picture(arrays.x_train[position]), cmap="gray")
        row[0].set_title(f"class {label}", fontsize=8, loc="left")
    figure.savefig(path, dpi=80)


def _picture(example):
    if example.ndim == 3:
        return example[..., 0] if example.shape[-1] == 1 else example
    frames = example.reshape(-1, _FEATURES if len(example) % _FEATURES == 0 else 1)
    return frames.T
