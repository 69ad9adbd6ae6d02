import itertools

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_asymbp.benchmarks.datasets import Arrays
from keras_asymbp.benchmarks.errors import UsageError
from keras_asymbp.benchmarks.training import batches


@pytest.fixture(scope="module")
def numbered(make_split):
    """23 training examples; input and label are both the example's number."""
    numbers = np.arange(23)
    split = make_split(numbers[:, None].astype("float32"), numbers)
    return batches.Examples(split, split)


def all_examples(split):
    return split.batch(np.arange(len(split)))


def epoch_labels(examples, size, seed, epoch, **keywords):
    """The labels of an epoch's batches, which must match the inputs."""
    count = batches.batches_per_epoch(examples, size)
    training = batches.training_batches(examples, size, seed, **keywords)
    found = []
    for x, y in itertools.islice(training, epoch * count, (epoch + 1) * count):
        np.testing.assert_array_equal(x[:, 0], y)
        found.append(y.tolist())
    return found


def flat(found):
    return [label for batch in found for label in batch]


@pytest.fixture(params=["in memory", "memory-mapped"])
def anywhere(request, monkeypatch, tmp_path):
    """Keeps arrays in memory, as a small data set, or in files, as a large one."""

    def store(arrays):
        if request.param == "in memory":
            return arrays
        monkeypatch.setattr(batches, "MEMORY_LIMIT", 0)
        mapped = []
        for name in ("x_train", "y_train", "x_test", "y_test"):
            np.save(tmp_path / name, getattr(arrays, name))
            mapped.append(np.load(tmp_path / f"{name}.npy", mmap_mode="r"))
        return Arrays(*mapped)

    return store


def test_pixels_are_scaled_and_centred_by_the_training_mean(anywhere):
    arrays = random_arrays((3, 2, 1), 7, 4)
    examples = batches.prepare(anywhere(arrays), 0.5)
    mean = arrays.x_train.astype("float64").mean(axis=0)
    for split in ("train", "test"):
        inputs, labels = all_examples(getattr(examples, split))
        assert (inputs.dtype, labels.dtype) == (np.float32, np.int32)
        expected = 0.5 * (getattr(arrays, f"x_{split}") - mean)
        np.testing.assert_allclose(inputs, expected, rtol=1e-5, atol=1e-4)
        np.testing.assert_array_equal(labels, getattr(arrays, f"y_{split}"))


def test_vectors_are_standardized_by_the_training_examples(anywhere):
    rng = np.random.default_rng(0)
    x_train, x_test = (rng.normal(3, [1, 9, 0], (n, 3)) for n in (50, 20))
    arrays = Arrays(
        x_train.astype("float32"),
        np.zeros(50, int),
        x_test.astype("float32"),
        np.zeros(20, int),
    )
    examples = batches.prepare(anywhere(arrays), 1 / 255)
    train, test = (all_examples(getattr(examples, s))[0] for s in ("train", "test"))
    np.testing.assert_allclose(train.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(train.std(axis=0), [1, 1, 0], atol=1e-5)
    expected = (x_test - x_train.mean(axis=0))[:, :2] / x_train.std(axis=0)[:2]
    np.testing.assert_allclose(test[:, :2], expected, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(test[:, 2], 0, atol=1e-5)


def test_symbols_stay_one_whatever_the_scale_of_pixels(anywhere):
    symbols = np.eye(3, dtype=bool)[np.arange(20).reshape(5, 4) % 3]
    labels = np.arange(5) % 2
    arrays = anywhere(Arrays(symbols, labels, symbols[:2], labels[:2]))
    train, _ = all_examples(batches.prepare(arrays, 1 / 255).train)
    assert train.dtype == np.float32
    np.testing.assert_allclose(train, symbols - symbols.mean(axis=0), atol=1e-6)


@given(rows=st.integers(1, 40), chunk=st.sampled_from([1, 3, 100]))
def test_the_mean_does_not_depend_on_the_rows_read_at_once(rows, chunk):
    arrays = random_arrays((2, 2, 1), rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batches, "ROWS_AT_ONCE", chunk)
        examples = batches.prepare(arrays, 1.0)
    inputs, _ = all_examples(examples.train)
    mean = arrays.x_train.mean(axis=0).astype("float32")
    np.testing.assert_array_equal(inputs, arrays.x_train - mean)


def random_arrays(shape, train=20, test=10):
    rng = np.random.default_rng(0)
    return Arrays(
        rng.integers(0, 256, (train, *shape), dtype=np.uint8),
        np.arange(train) % 5,
        rng.integers(0, 256, (test, *shape), dtype=np.uint8),
        np.arange(test) % 5,
    )


def test_batches_consist_of_the_examples(anywhere):
    examples = batches.prepare(anywhere(random_arrays((3, 2, 1), 10, 5)), 1.0)
    inputs, labels = all_examples(examples.train)
    known = {
        image.tobytes(): label for image, label in zip(inputs, labels, strict=True)
    }
    training = batches.training_batches(examples, 4, seed=0)
    for x, y in itertools.islice(training, 4):
        assert x.shape == (4, 3, 2, 1)
        assert [known[image.tobytes()] for image in x] == y.tolist()
    (batch,) = batches.evaluation_batches(examples.test)
    for actual, expected in zip(batch, all_examples(examples.test), strict=True):
        np.testing.assert_array_equal(actual, expected)


@pytest.mark.parametrize(
    ("size", "shapes"), [(5, [5] * 4), (23, [23]), (22, [22]), (1, [1] * 23)]
)
def test_an_epoch_has_whole_batches_and_no_example_twice(size, shapes, numbered):
    for epoch in range(3):
        found = epoch_labels(numbered, size, seed=0, epoch=epoch)
        assert [len(batch) for batch in found] == shapes
        assert len(set(flat(found))) == len(flat(found))


def test_every_example_is_used_in_some_epoch(numbered):
    labels = {
        label for e in range(9) for label in flat(epoch_labels(numbered, 5, 0, e))
    }
    assert labels == set(range(23))


def test_a_batch_larger_than_the_data_set_is_the_data_set(numbered):
    assert batches.batches_per_epoch(numbered, 100) == 1
    (batch,) = epoch_labels(numbered, 100, seed=0, epoch=1)
    assert sorted(batch) == list(range(23))


def test_order_depends_on_the_seed_and_no_other_random_draws(numbered):
    first = epoch_labels(numbered, 5, seed=3, epoch=1)
    keras.utils.set_random_seed(99)
    keras.random.normal((3,))
    np.random.uniform(size=3)
    assert epoch_labels(numbered, 5, seed=3, epoch=1) == first
    assert epoch_labels(numbered, 5, seed=4, epoch=1) != first


def test_every_epoch_has_its_own_order(numbered):
    orders = [
        tuple(flat(epoch_labels(numbered, 23, seed=0, epoch=e))) for e in range(4)
    ]
    assert len(set(orders)) == 4
    assert tuple(range(23)) not in orders


def test_training_can_start_at_a_later_epoch(numbered):
    assert epoch_labels(numbered, 5, 0, epoch=0, first_epoch=3) == epoch_labels(
        numbered, 5, 0, epoch=3
    )


def test_order_does_not_depend_on_the_batch_size(numbered):
    assert (
        flat(epoch_labels(numbered, 5, 0, 2))
        == flat(epoch_labels(numbered, 23, 0, 2))[:20]
    )


@pytest.mark.parametrize(
    ("size", "count", "shapes"),
    [(5, 3, [5, 5, 5]), (5, 20, [5, 5, 5, 5, 3]), (100, 20, [23])],
)
def test_statistics_batches(size, count, shapes, numbered):
    found = [
        batch[:, 0].tolist()
        for batch in batches.statistics_batches(numbered, size, count, seed=0)
    ]
    assert [len(batch) for batch in found] == shapes
    assert len(set(flat(found))) == len(flat(found))
    again = batches.statistics_batches(numbered, size, count, seed=0)
    assert [batch[:, 0].tolist() for batch in again] == found
    other = batches.statistics_batches(numbered, size, count, seed=1)
    assert [batch[:, 0].tolist() for batch in other] != found
    # Different from every epoch's order.
    for epoch in range(3):
        assert (
            flat(found)
            != flat(epoch_labels(numbered, 23, 0, epoch))[: len(flat(found))]
        )


def test_held_out_examples_are_balanced_and_not_trained_on(make_split):
    labels = np.repeat([0, 1, 2, 3], 10)
    split = make_split(np.arange(40)[:, None].astype("float32"), labels)
    examples = batches.hold_out(batches.Examples(split, split), 0.2)
    x_held, y_held = all_examples(examples.validation)
    x_kept, y_kept = all_examples(examples.train)
    assert y_held.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert np.bincount(y_kept).tolist() == [8] * 4
    assert sorted([*x_held[:, 0], *x_kept[:, 0]]) == list(range(40))
    for x, y in ((x_held, y_held), (x_kept, y_kept)):
        np.testing.assert_array_equal(labels[x[:, 0].astype(int)], y)
    assert examples.test is split
    training = itertools.islice(batches.training_batches(examples, 8, seed=0), 4)
    trained = np.concatenate([x[:, 0] for x, _ in training])
    assert sorted(trained) == sorted(x_kept[:, 0])


@pytest.mark.parametrize(("share", "count"), [(0.01, 0), (0.99, 23)])
def test_a_share_needs_examples_on_both_sides(share, count, numbered):
    words = f"{share} holds out {count} of all 23 training examples: "
    with pytest.raises(UsageError, match=words):
        batches.hold_out(numbered, share)


def test_by_default_nothing_is_held_out(numbered):
    assert batches.hold_out(numbered, 0.0) is numbered


def crops(image):
    """Every possible augmentation of an image, with its shift and side."""
    height, width, channels = image.shape
    padded = np.pad(image, ((4, 4), (4, 4), (0, 0)))
    for side in (1, -1)[: 1 if channels == 1 else 2]:
        for i in range(9):
            for j in range(9):
                crop = padded[i : i + height, j : j + width]
                yield (i, j, side), crop[:, ::side]


@pytest.mark.parametrize("channels", [1, 3])
def test_augmentation_shifts_images_and_mirrors_colour_images(channels, make_split):
    generator = np.random.default_rng(0)
    image = generator.normal(size=(7, 6, channels)).astype("float32")
    split = make_split(np.stack([image] * 2000), np.zeros(2000, int))
    training = batches.training_batches(
        batches.Examples(split, split), 2000, seed=1, augmentation="standard"
    )
    images, _ = training.get(3)
    known = {crop.tobytes(): change for change, crop in crops(image)}
    seen = [known[each.tobytes()] for each in images]
    shifts, sides = [(i, j) for i, j, _ in seen], [side for *_, side in seen]
    assert len(set(shifts)) == 81
    # Uniform: 2000 / 9 on average, with a standard deviation of 15.
    for axis in zip(*shifts, strict=True):
        assert 140 < min(np.bincount(axis)) <= max(np.bincount(axis)) < 310
    if channels == 3:
        assert 900 < sides.count(1) < 1100
    else:
        assert set(sides) == {1}


def test_augmentation_depends_on_the_seed_and_the_batch_alone(make_split):
    split = make_split(
        np.random.default_rng(0).normal(size=(8, 6, 6, 3)).astype("float32"),
        np.arange(8),
    )
    examples = batches.Examples(split, split)

    def images(seed, **keywords):
        training = batches.training_batches(
            examples, 4, seed, augmentation="standard", **keywords
        )
        return [
            {int(y): x.tobytes() for x, y in zip(xs, ys, strict=True)}
            for xs, ys in itertools.islice(training, 4)
        ]

    first = images(0)
    assert images(0) == first
    assert images(1) != first
    # A run that starts at the second epoch gets the same images.
    assert images(0, first_epoch=1)[:2] == first[2:]
    first_epoch, second_epoch = first[0] | first[1], first[2] | first[3]
    changed = [first_epoch[label] != second_epoch[label] for label in range(8)]
    assert sum(changed) >= 6


def test_augmentation_differs_between_batches(make_split):
    # With a single image nothing else can differ between batches.
    image = np.random.default_rng(0).normal(size=(1, 6, 6, 3)).astype("float32")
    split = make_split(image, np.zeros(1, np.int64))
    training = batches.training_batches(
        batches.Examples(split, split), 1, seed=0, augmentation="standard"
    )
    seen = {x.tobytes() for x, _ in itertools.islice(training, 20)}
    assert len(seen) > 15
