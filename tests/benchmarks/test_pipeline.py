import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

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
    ("labels", "count", "expected"),
    [
        ([0, 0, 0, 1, 1, 1], 4, [0, 1, 3, 4]),
        ([1, 0, 1, 0, 1, 0], 2, [0, 1]),
        ([0, 0, 0, 0, 1, 2], 5, [0, 1, 2, 4, 5]),  # two classes run out
        ([2, 2, 1, 1, 0, 0], 4, [0, 2, 4, 0]),  # the remainder goes to one class
        ([5, 9], 2, [0, 1]),
        ([5, 9], None, [0, 1]),
    ],
)
def test_balanced(labels, count, expected):
    found = pipeline.balanced(np.array(labels), count)
    if len(set(expected)) < len(expected):
        per_class = np.bincount(np.array(labels)[found])
        assert len(found) == count
        assert per_class.max() - per_class.min() <= 1
    else:
        assert found.tolist() == expected


@given(
    labels=st.lists(st.integers(0, 4), min_size=1, max_size=60),
    data=st.data(),
)
def test_balanced_is_as_balanced_as_can_be(labels, data):
    labels = np.array(labels)
    count = data.draw(st.integers(1, len(labels)))
    found = pipeline.balanced(labels, count)
    assert len(set(found)) == count
    assert (np.diff(found) > 0).all()
    have, taken = np.bincount(labels), np.bincount(labels[found], minlength=5)
    for label in range(len(have)):
        # A class has less than another only if it has no more.
        if taken[label] < taken.max() - 1:
            assert taken[label] == have[label]
        chosen = found[labels[found] == label]
        first = np.flatnonzero(labels == label)[: len(chosen)]
        np.testing.assert_array_equal(chosen, first)


def random_arrays(shape, train=20, test=10):
    rng = np.random.default_rng(0)
    return Arrays(
        rng.integers(0, 256, (train, *shape), dtype=np.uint8),
        np.arange(train) % 5,
        rng.integers(0, 256, (test, *shape), dtype=np.uint8),
        np.arange(test) % 5,
    )


def test_a_cut_data_set_is_centred_by_what_is_left_of_it():
    arrays = random_arrays((3, 2, 1))
    examples = pipeline.prepare(arrays, 1.0, (3, 2, 1), 10, 5)
    assert (len(examples.y_train), len(examples.y_test)) == (10, 5)
    mean = arrays.x_train[:10].astype("float64").mean(axis=0)
    np.testing.assert_allclose(examples.x_train, arrays.x_train[:10] - mean, atol=1e-4)
    np.testing.assert_allclose(examples.x_test, arrays.x_test[:5] - mean, atol=1e-4)
    np.testing.assert_array_equal(examples.y_train, [0, 1, 2, 3, 4] * 2)


@pytest.mark.parametrize(
    ("shape", "wanted"),
    [
        ((28, 28, 1), (32, 32, 3)),
        ((28, 28, 1), (119, 119, 3)),
        ((32, 32, 3), (28, 28, 1)),
        ((40, 30, 3), (32, 32, 3)),
        ((28, 28, 1), (28, 28, 3)),
    ],
)
def test_images_are_fitted_to_the_network(shape, wanted):
    images = random_arrays(shape).x_train
    fitted = pipeline.fit_images(images, wanted)
    assert (fitted.shape, fitted.dtype) == ((20, *wanted), np.uint8)
    if shape[-1] == 1:
        for channel in (1, 2):
            np.testing.assert_array_equal(fitted[..., 0], fitted[..., channel])
    if shape[:2] == wanted[:2]:
        np.testing.assert_array_equal(fitted[..., :1], images)
    examples = pipeline.prepare(random_arrays(shape), 1.0, wanted)
    assert examples.x_test.shape[1:] == wanted


def test_a_flat_image_stays_flat_and_an_edge_an_edge():
    images = np.full((2, 20, 20, 1), 77, np.uint8)
    images[1, :, :10] = 0
    images[1, :, 10:] = 255
    flat, edge = pipeline.fit_images(images, (40, 40, 1))[..., 0]
    assert (flat == 77).all()
    # Bicubic overshoots, and what is beyond the range is cut, not wrapped around.
    assert (edge[:, :17] <= 20).all()
    assert (edge[:, 23:] >= 235).all()


def test_grey_is_the_eyes_weighting():
    colour = np.zeros((3, 4, 4, 3), np.uint8)
    colour[[0, 1, 2], :, :, [0, 1, 2]] = 200
    grey = pipeline.fit_images(colour, (4, 4, 1))[:, 0, 0, 0].astype(int)
    assert abs(grey - 200 * np.array([0.299, 0.587, 0.114])).max() <= 1


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
