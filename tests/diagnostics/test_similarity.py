"""Linear CKA: its invariances, its value by another formula, and its bias."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_asymbp.diagnostics import linear_cka, similarity


def orthogonal(generator, size):
    return np.linalg.qr(generator.normal(size=(size, size)))[0]


@settings(max_examples=30, deadline=None)
@given(
    st.integers(4, 20),
    st.integers(1, 30),
    st.integers(1, 30),
    st.floats(1e-6, 1e6),
    st.booleans(),
    st.integers(0, 2**32 - 1),
)
def test_rotations_scales_and_shifts_change_nothing(n, p, q, scale, debiased, seed):
    generator = np.random.default_rng(seed)
    x, y = generator.normal(size=(n, p)), generator.normal(size=(n, q))
    moved = scale * x @ orthogonal(generator, p) + generator.normal(size=p) * scale
    assert linear_cka(x, x) == pytest.approx(1)
    assert linear_cka(x, moved) == pytest.approx(1)
    expected = linear_cka(x, y, debiased)
    found = linear_cka(moved, y, debiased)
    assert found == pytest.approx(expected, rel=1e-6, abs=1e-6, nan_ok=True)
    swapped = linear_cka(y, x, debiased)
    assert swapped == pytest.approx(expected, rel=1e-9, nan_ok=True)


def test_the_formula_with_features():
    generator = np.random.default_rng(0)
    x, y = generator.normal(size=(30, 2, 3)), generator.normal(size=(30, 4))
    a, b = x.reshape(30, 6) - x.reshape(30, 6).mean(0), y - y.mean(0)
    norm = np.linalg.norm
    expected = norm(b.T @ a) ** 2 / (norm(a.T @ a) * norm(b.T @ b))
    assert linear_cka(x, y) == pytest.approx(expected, rel=1e-12)


def test_the_unbiased_estimate_of_independence_is_0():
    generator = np.random.default_rng(0)
    pairs = [generator.normal(size=(2, 20, 400)) for _ in range(100)]
    assert np.mean([linear_cka(*pair) for pair in pairs]) > 0.9
    assert np.mean([linear_cka(*pair, True) for pair in pairs]) == pytest.approx(
        0, abs=0.02
    )


def test_too_few_or_other_examples():
    x = np.eye(3)
    assert np.isnan(linear_cka(np.ones((3, 2)), x))
    with pytest.raises(ValueError, match="at least 2"):
        linear_cka(x, x[:2])
    with pytest.raises(ValueError, match="at least 4"):
        linear_cka(x, x, debiased=True)
    for few in (5.0, [], [1.0], np.zeros((0, 3))):
        with pytest.raises(ValueError, match=r"at least 2\. Received: shapes"):
            linear_cka(few, few)


def test_layers_are_compared_by_their_outputs():
    def network(seed):
        keras.utils.set_random_seed(seed)
        inputs = keras.Input((6,))
        shared = keras.layers.Dense(6, "relu", name="shared")
        x = keras.layers.Dropout(0.5)(shared(shared(inputs)))
        return keras.Model(inputs, keras.layers.Dense(3, name=f"top_{seed}")(x))

    one, other = network(1), network(2)
    x = np.random.default_rng(0).normal(size=(20, 6)).astype("float32")
    found = similarity(one, other, [(x[:8],), (x[8:],)])
    outputs = []
    for model in (one, other):
        shared = model.get_layer("shared")
        first = shared(x)
        calls = [keras.ops.convert_to_numpy(each) for each in (first, shared(first))]
        outputs.append(np.concatenate(calls, axis=1))
    # The layers at the top have two names.
    assert list(found) == ["shared"]
    assert found["shared"] == pytest.approx(linear_cka(*outputs, True), rel=1e-4)
    assert found["shared"] < 0.9
