import numpy as np
import pytest

from keras_asymbp.benchmarks import datasets
from keras_asymbp.benchmarks.datasets import look


def make(shape, classes=3):
    rng = np.random.default_rng(0)
    labels = np.array([0, 1, 1, 2, 2, 2])
    inputs = rng.integers(0, 256, (6, *shape), dtype=np.uint8)
    if len(shape) == 1:
        inputs = inputs.astype(np.float32)
    return datasets.Arrays(inputs, labels, inputs[:2], labels[:2])


def test_counts_per_class():
    dataset = datasets.Dataset("x", "", None, 4, "mnist", None)
    train, test = look.count(dataset, make((2, 2, 1)))
    assert train.per_class.tolist() == [1, 2, 3, 0]
    assert str(train) == "train: 6 examples of 4 classes, 0 to 3 of each"
    assert str(test) == "test: 2 examples of 4 classes, 0 to 1 of each"
    even = look.Counts("train", 6, np.array([3, 3]))
    assert str(even) == "train: 6 examples of 2 classes, 3 of each"


@pytest.mark.parametrize("shape", [(9, 8, 1), (9, 8, 3), (1845,), (7,)])
def test_the_picture(shape, tmp_path):
    import matplotlib.image

    path = tmp_path / "x.png"
    look.draw(make(shape), path)
    image = matplotlib.image.imread(path)
    # Three rows, one for each class, of ten panels.
    assert image.shape[1] / image.shape[0] == pytest.approx(10 / 3, rel=0.05)
    rows = np.split(image[: len(image) // 3 * 3, :, :3], 3)
    filled = [(row < 0.99).any(axis=-1).any(axis=0) for row in rows]
    # A class with one example fills less of its row than a class with three.
    assert filled[0].sum() < filled[2].sum()
