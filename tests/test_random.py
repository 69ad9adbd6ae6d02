import random as python_random

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

import keras_asymbp
from keras_asymbp import backend, random

MANY = (200, 200)


def correlation(a, b):
    return abs(np.corrcoef(np.ravel(a), np.ravel(b))[0, 1])


def test_magnitudes_are_uniform():
    m = random.signed_magnitudes(MANY, 3, 0, 0.0).numpy()
    assert m.dtype == np.float32
    assert m.min() > 0
    assert m.max() < 1
    # Each decile holds a tenth: 4000 of 40000, within 5 standard deviations (60).
    counts, _ = np.histogram(m, bins=10, range=(0, 1))
    assert np.abs(counts - 4000).max() < 300


@pytest.mark.parametrize("p", [0.0, 0.25, 0.5, 1.0])
def test_flip_probability_is_the_share_of_flipped_signs(p):
    factor = random.signed_magnitudes(MANY, 3, 0, p).numpy()
    flipped = (factor < 0).mean()
    assert flipped == pytest.approx(p, abs=0.01 if 0 < p < 1 else 1e-4)
    # Flips change the sign only, and have their own stream.
    magnitudes = random.signed_magnitudes(MANY, 3, 0, 0.0).numpy()
    np.testing.assert_array_equal(np.abs(factor), magnitudes)
    if 0 < p < 1:
        assert correlation(factor < 0, magnitudes) < 0.02


@pytest.mark.parametrize("p", [0.0, 2.0**-18, 2.0**-16, 0.1, 0.25, 0.5, 1.0])
def test_sixteen_bits_give_the_mean_and_the_probability_exactly(p, monkeypatch):
    every = np.arange(2**16, dtype=np.uint16)
    monkeypatch.setattr(backend, "random_halves", lambda *_: tf.constant(every))
    factor = random.signed_magnitudes(every.shape, 3, 0, p).numpy().astype(np.float64)
    assert np.abs(factor).mean() == 0.5
    np.testing.assert_array_equal(np.diff(np.abs(factor)), 2.0**-16)
    assert (factor < 0).mean() == round(p * 2**16) / 2**16


def test_noise_has_its_mean_and_variance():
    values = random.noise(MANY, 3, 0).numpy()
    assert values.mean() == pytest.approx(0, abs=0.02)
    assert values.var() == pytest.approx(1, rel=0.02)
    assert np.abs(values).max() <= 3**0.5
    # Of 40000 numbers of 16 bits, a quarter would be there before.
    assert len(np.unique(values)) > 39000


def test_normal_has_its_standard_deviation():
    values = random.normal(MANY, 3, 0.05).numpy()
    assert values.std() == pytest.approx(0.05, rel=0.02)
    assert values.mean() == pytest.approx(0, abs=0.001)


def test_normals_are_those_of_tensorflow_and_the_same_in_a_graph():
    seed = tf.constant([7 + 2**32, 0], tf.int64)
    expected = 0.5 * tf.random.stateless_normal((5, 7), seed, alg="philox")
    actual = random.normal((5, 7), 7, 0.5)
    # TensorFlow rounds logarithm, root and sine one by one.
    np.testing.assert_allclose(actual, expected, rtol=1e-6, atol=1e-6)
    for jit_compile in (False, True):
        in_graph = tf.function(random.normal, jit_compile=jit_compile)
        np.testing.assert_array_equal(in_graph((5, 7), 7, 0.5), actual)


def test_numbers_match_their_definition(draw_factor):
    # Saved models rely on it: brSF stores only the seed and the draw's number.
    for seed, draw, p in ((0, 0, 0), (7, 3, 0), (2**31 - 1, 10**6, 0.25)):
        np.testing.assert_array_equal(
            random.signed_magnitudes((7, 3), seed, draw, p),
            draw_factor((7, 3), seed, draw, p),
        )


def test_seeds_and_draws_are_independent_streams():
    streams = [
        random.signed_magnitudes(MANY, seed, draw, 0.0)
        for seed in (0, 1, 2)
        for draw in (0, 1, 2)
    ]
    for number, a in enumerate(streams):
        for b in streams[:number]:
            assert correlation(a, b) < 0.03


def test_keras_initializers_with_the_same_seed_draw_different_numbers():
    uniform = keras.initializers.RandomUniform(0, 1, seed=7)(MANY)
    assert correlation(uniform, random.signed_magnitudes(MANY, 7, 0, 0.0)) < 0.03
    normal = keras.initializers.RandomNormal(seed=7)(MANY)
    assert correlation(normal, random.normal(MANY, 7, 1.0)) < 0.03
    assert correlation(uniform, keras.random.uniform(MANY, seed=7)) > 0.99  # control


@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize("p", [0.0, 0.25])
def test_draws_in_graphs_match_eager_code(p, jit_compile):
    # From variables, as in training: TensorFlow would fold draws of a constant seed
    # into a constant before XLA sees them.
    seed, draw = tf.Variable(3, dtype=tf.int64), tf.Variable(2, dtype=tf.int64)

    def signed_magnitudes():
        return random.signed_magnitudes((5, 7), seed, draw, p)  # an odd number

    compiled = tf.function(signed_magnitudes, jit_compile=jit_compile)
    np.testing.assert_array_equal(compiled(), signed_magnitudes())


@pytest.mark.parametrize("jit_compile", [False, True])
def test_fingerprints_are_the_same_in_graphs(jit_compile):
    values = tf.Variable(tf.random.normal((5, 7)))
    compiled = tf.function(random.fingerprint, jit_compile=jit_compile)
    assert int(compiled(values)) == int(random.fingerprint(values))


DTYPES = st.sampled_from(["float16", "bfloat16", "float32", "float64"])


@given(st.integers(1, 40), st.data(), DTYPES)
def test_fingerprint_changes_with_any_bit(size, data, dtype):
    values = tf.cast(tf.random.stateless_normal((size,), (size, 1)), dtype)
    unsigned = {2: "uint16", 4: "uint32", 8: "uint64"}[values.dtype.size]
    bits = tf.bitcast(values, unsigned).numpy()
    element = data.draw(st.integers(0, size - 1))
    bit = data.draw(st.integers(0, 8 * values.dtype.size - 1))
    bits[element] ^= bits.dtype.type(1 << bit)
    before, after = (
        random.fingerprint(v).numpy() for v in (values, tf.bitcast(bits, dtype))
    )
    assert 1 <= before < 2**31
    assert 1 <= after < 2**31
    assert before != after


def test_a_fingerprint_does_not_depend_on_its_parts(monkeypatch):
    values = tf.random.stateless_normal((5, 8), (1, 2))
    whole = int(random.fingerprint(values))
    for part in (1, 7, 40, 41):
        monkeypatch.setattr("keras_asymbp.backend.tensorflow._PART", part)
        assert int(random.fingerprint(values)) == whole


@given(st.integers(1, 9), DTYPES)
def test_a_fingerprint_is_that_of_its_formula(size, dtype):
    # Saved models carry it from one backend to the other.
    values = tf.cast(tf.random.stateless_normal((size,), (size, 1)), dtype)
    bits = 8 * min(values.dtype.size, 4)
    words = tf.bitcast(values, f"uint{bits}").numpy().ravel()
    total = sum(
        (int(word) ^ (int(word) >> 16)) * (2 * i + 1) * 0x9E3779B1
        for i, word in enumerate(words)
    )
    assert int(random.fingerprint(values)) == max(total % 2**32 // 2, 1)


def test_fingerprint_sees_opposite_and_swapped_changes():
    # As in Batch Manhattan: equal steps of either sign.
    before = tf.constant([0.5, 0.5, 0.25])
    seen = {
        int(random.fingerprint(before + tf.constant(step)))
        for step in ([0.0, 0, 0], [0.1, -0.1, 0], [-0.1, 0.1, 0], [0, 0.1, -0.1])
    }
    seen |= {int(random.fingerprint(tf.constant([0.25, 0.5, 0.5])))}
    assert len(seen) == 5


def test_resolve_seed_follows_the_global_seed():
    keras.utils.set_random_seed(1)
    first = [random.resolve_seed(None) for _ in range(3)]
    keras.utils.set_random_seed(1)
    assert [random.resolve_seed(None) for _ in range(3)] == first
    assert len(set(first)) == 3
    assert random.resolve_seed(5) == 5


def test_new_seeds_are_the_numbers_that_numpy_would_give():
    # Recorded results rely on it.
    keras.utils.set_random_seed(2)
    seeds = [random.resolve_seed(None) for _ in range(3)]
    np.random.seed(2)
    assert [int(np.random.randint(2**31, dtype=np.int64)) for _ in range(3)] == seeds


@pytest.mark.parametrize(
    "rule", ["brSF", "frSF", "RndF", "KP", "WM", "PAL", "PFA", "frSF-25"]
)
def test_rules_move_nobody_s_generator(rule):
    keras.utils.set_random_seed(4)
    before = python_random.getstate(), np.random.get_state()
    keras_asymbp.feedbacks.get(rule)
    random.resolve_seed(None)
    after = python_random.getstate(), np.random.get_state()
    assert after[0] == before[0]
    for ours, theirs in zip(after[1], before[1], strict=True):
        np.testing.assert_array_equal(ours, theirs)


@given(st.lists(st.integers(0, 3), max_size=6))
def test_a_user_s_draws_between_rules_never_repeat_a_seed(draws):
    keras.utils.set_random_seed(5)
    seeds = []
    for number in draws:
        seeds.append(random.resolve_seed(None))
        np.random.randint(2**31, size=number, dtype=np.int64)
    assert len(set(seeds)) == len(seeds)


def test_seeds_go_on_after_clear_session():
    keras.utils.set_random_seed(6)
    first = random.resolve_seed(None)
    keras.utils.clear_session()
    assert random.resolve_seed(None) != first


@pytest.mark.parametrize("seed", [-1, 2**31, 1.5, "1", True])
def test_resolve_seed_refuses_an_invalid_seed(seed):
    with pytest.raises(ValueError, match=r"`seed` must be .* Received: seed="):
        random.resolve_seed(seed)


def test_a_seed_of_numpy_is_taken():
    assert random.resolve_seed(np.int64(3)) == 3
    assert type(random.resolve_seed(np.uint8(3))) is int


@pytest.mark.parametrize("feedback", ["uSF", "brSF", "frSF", "RndF"])
def test_models_that_differ_in_their_rules_start_with_the_same_weights(feedback):
    def start(feedback):
        keras.utils.set_random_seed(3)
        layers = [keras_asymbp.AsymDense(4, feedback=feedback) for _ in range(2)]
        keras.Sequential([keras.Input((5,)), *layers])
        return [layer.kernel.numpy() for layer in layers]

    for kernel, expected in zip(start(feedback), start("BP"), strict=True):
        np.testing.assert_array_equal(kernel, expected)
