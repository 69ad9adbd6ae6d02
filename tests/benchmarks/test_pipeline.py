import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_asymbp.benchmarks import pipeline
from keras_asymbp.benchmarks.datasets import Arrays


@pytest.fixture(scope="module")
def numbered():
    """23 training examples that are their own number, which is their label too."""
    numbers = np.arange(23)
    return pipeline.Examples(
        *(tf.constant(a) for a in (numbers[:, None].astype("float32"), numbers) * 2)
    )


def batches(examples, size, seed, epoch, **keywords):
    """The labels of an epoch's batches, checked against its inputs."""
    count = pipeline.batches_per_epoch(examples, size)
    dataset = pipeline.training_batches(examples, size, seed, **keywords)
    found = []
    for x, y in dataset.skip(epoch * count).take(count).as_numpy_iterator():
        np.testing.assert_array_equal(x[:, 0], y)
        found.append(y.tolist())
    return found


def flat(found):
    return [label for batch in found for label in batch]


def test_inputs_are_scaled_and_centred_by_the_training_mean():
    rng = np.random.default_rng(0)
    arrays = Arrays(
        rng.integers(0, 256, (7, 3, 2, 1), dtype=np.uint8),
        rng.integers(0, 10, 7, dtype=np.uint8),
        rng.integers(0, 256, (4, 3, 2, 1), dtype=np.uint8),
        rng.integers(0, 10, 4, dtype=np.uint8),
    )
    examples = pipeline.prepare(arrays, 0.5)
    mean = arrays.x_train.astype("float64").mean(axis=0)
    for name in ("x_train", "x_test"):
        actual = getattr(examples, name)
        assert actual.dtype == tf.float32
        np.testing.assert_allclose(
            actual, 0.5 * (getattr(arrays, name) - mean), rtol=1e-5, atol=1e-4
        )
    for name in ("y_train", "y_test"):
        assert getattr(examples, name).dtype == tf.int64
        np.testing.assert_array_equal(getattr(examples, name), getattr(arrays, name))


@pytest.mark.parametrize(
    ("size", "shapes"), [(5, [5] * 4), (23, [23]), (22, [22]), (1, [1] * 23)]
)
def test_an_epoch_has_whole_batches_and_no_example_twice(size, shapes, numbered):
    for epoch in range(3):
        found = batches(numbered, size, seed=0, epoch=epoch)
        assert [len(batch) for batch in found] == shapes
        assert len(set(flat(found))) == len(flat(found))


def test_every_example_comes_in_some_epoch(numbered):
    labels = {label for e in range(9) for label in flat(batches(numbered, 5, 0, e))}
    assert labels == set(range(23))


def test_a_batch_larger_than_the_data_is_all_of_it(numbered):
    assert pipeline.batches_per_epoch(numbered, 100) == 1
    (batch,) = batches(numbered, 100, seed=0, epoch=1)
    assert sorted(batch) == list(range(23))


def test_order_is_the_seeds_whatever_else_draws(numbered):
    first = batches(numbered, 5, seed=3, epoch=1)
    keras.utils.set_random_seed(99)
    keras.random.normal((3,))
    tf.random.uniform((3,))
    assert batches(numbered, 5, seed=3, epoch=1) == first
    assert batches(numbered, 5, seed=4, epoch=1) != first


def test_every_epoch_has_an_order_of_its_own(numbered):
    orders = [tuple(flat(batches(numbered, 23, seed=0, epoch=e))) for e in range(4)]
    assert len(set(orders)) == 4
    assert tuple(range(23)) not in orders


def test_an_epoch_can_be_the_first(numbered):
    assert batches(numbered, 5, 0, epoch=0, first_epoch=3) == batches(
        numbered, 5, 0, epoch=3
    )


def test_order_does_not_depend_on_the_batch_size(numbered):
    assert flat(batches(numbered, 5, 0, 2)) == flat(batches(numbered, 23, 0, 2))[:20]


@pytest.mark.parametrize(
    ("size", "count", "shapes"),
    [(5, 3, [5, 5, 5]), (5, 20, [5, 5, 5, 5, 3]), (100, 20, [23])],
)
def test_statistics_batches(size, count, shapes, numbered):
    found = [
        batch[:, 0].tolist()
        for batch in pipeline.statistics_batches(
            numbered, size, count, seed=0
        ).as_numpy_iterator()
    ]
    assert [len(batch) for batch in found] == shapes
    assert len(set(flat(found))) == len(flat(found))
    again = pipeline.statistics_batches(numbered, size, count, seed=0)
    assert [batch[:, 0].tolist() for batch in again.as_numpy_iterator()] == found
    other = pipeline.statistics_batches(numbered, size, count, seed=1)
    assert [batch[:, 0].tolist() for batch in other.as_numpy_iterator()] != found
    # Not the order of an epoch.
    for epoch in range(3):
        assert flat(found) != flat(batches(numbered, 23, 0, epoch))[: len(flat(found))]
