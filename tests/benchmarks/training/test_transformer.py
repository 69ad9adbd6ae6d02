import keras
import numpy as np
import pytest

from keras_asymbp.benchmarks.networks import Transformer
from keras_asymbp.benchmarks.training import transformer
from keras_asymbp.benchmarks.training.build import build
from keras_asymbp.feedbacks import UniformSignConcordant


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    model = transformer.compose(Transformer(8, 2, 2), (5, 3), 4, "x")
    embedding = model.get_layer("embedding")
    embedding.bias.assign(keras.random.normal(embedding.bias.shape, seed=1))
    return model


def test_a_small_transformer_equals_the_formula(model):
    x = np.eye(3, dtype="float32")[[[0, 2, 1, 1, 0], [2, 2, 0, 1, 2]]]
    w = {
        w.path.removeprefix("x/"): keras.ops.convert_to_numpy(w) for w in model.weights
    }

    def norm(name, h):
        h = (h - h.mean(-1, keepdims=True)) / np.sqrt(h.var(-1, keepdims=True) + 1e-3)
        return h * w[f"{name}/gamma"] + w[f"{name}/beta"]

    def dense(name, h):
        return h @ w[f"{name}/kernel"] + w[f"{name}/bias"]

    h = x @ w["embedding/kernel"] + w["embedding/bias"]
    # With one block alone the mask would not reach the last position.
    for block in (1, 2):
        y, parts = norm(f"attention_{block}_norm", h), {}
        for part in ("query", "key", "value"):
            kernel = w[f"attention_{block}/{part}/kernel"]
            parts[part] = np.einsum("btu,uhd->bhtd", y, kernel)
            parts[part] += w[f"attention_{block}/{part}/bias"][:, None]
        scores = parts["query"] @ parts["key"].swapaxes(-1, -2) / np.sqrt(4)
        scores[..., np.triu(np.ones((5, 5), bool), 1)] = -np.inf
        scores = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
        kernel = w[f"attention_{block}/attention_output/kernel"]
        h = h + np.einsum("bhtd,hdu->btu", scores @ parts["value"], kernel)
        h = h + w[f"attention_{block}/attention_output/bias"]
        wide = np.maximum(dense(f"wide_{block}", norm(f"wide_{block}_norm", h)), 0)
        h = h + dense(f"narrow_{block}", wide)
    expected = dense("logits", norm("last_norm", h)[:, -1])
    np.testing.assert_allclose(model(x), expected, rtol=1e-4, atol=1e-5)


def test_the_network_of_the_suite_is_asymmetric_in_every_projection():
    model = build("transformer", 36, feedback="uSF", clamped="Bottom", seed=3)
    attention = model.get_layer("attention_1")
    kernels = [
        keras.ops.convert_to_numpy(getattr(attention, f"{name}_dense").kernel)
        for name in ("query", "key", "value")
    ]
    # Keras draws these three with one seed; here each has its own stream.
    assert not np.allclose(kernels[0], kernels[1])
    assert not np.allclose(kernels[1], kernels[2])
    for part in attention._flatten_layers():
        if isinstance(part, keras.layers.EinsumDense):
            assert type(part.feedback) is UniformSignConcordant, part.name
    assert not model.get_layer("logits").trainable
    assert attention.trainable


def test_its_first_weights_depend_on_the_seed_alone():
    def kernel(seed):
        model = build("transformer", 36, feedback="uSF", seed=seed)
        return keras.ops.convert_to_numpy(model.get_layer("wide_1").kernel)

    first = kernel(3)
    assert np.array_equal(kernel(3), first)
    assert not np.allclose(kernel(4), first)
