import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_asymbp import (
    AsymEinsumDense,
    AsymMultiHeadAttention,
    feedbacks,
    metrics,
    redraw_feedback,
)
from keras_asymbp.layers import asymmetric_layers

CLOSE = {"rtol": 1e-4, "atol": 1e-5}
QUERY, VALUE = (2, 3, 4), (2, 5, 6)
NAMES = {"query", "key", "value", "attention_output"}


def normal(*shape):
    return np.random.default_rng(sum(shape)).normal(size=shape).astype("float32")


def make(feedback, shapes=(QUERY, VALUE), **arguments):
    arguments = {"num_heads": 2, "key_dim": 3} | arguments
    layer = AsymMultiHeadAttention(feedback=feedback, **arguments)
    layer.build(*shapes)
    return layer


def projections(layer):
    return {part.name: part for part in asymmetric_layers(layer) if part is not layer}


@pytest.mark.parametrize("use_gate", [False, True])
def test_its_projections_are_asymmetric(use_gate):
    layer = make("uSF", use_gate=use_gate)
    parts = projections(layer)
    assert set(parts) == NAMES | ({"gate"} if use_gate else set())
    for name, part in parts.items():
        assert type(part) is AsymEinsumDense
        assert type(part.feedback) is feedbacks.UniformSignConcordant
        np.testing.assert_array_equal(layer.feedback_kernel[name], np.sign(part.kernel))
    assert not any(
        type(part) is keras.layers.EinsumDense for part in layer._flatten_layers()
    )
    # The template of their rules has no variables.
    assert layer.feedback not in [part.feedback for part in parts.values()]
    assert not layer.feedback.variables


def test_gradients_by_hand():
    """The error goes through V at the output, and at the value projection."""
    layer = make("frSF", use_bias=False)
    q, x = normal(*QUERY), normal(*VALUE)
    w = {name: part.kernel.numpy() for name, part in projections(layer).items()}
    v = {name: value.numpy() for name, value in layer.feedback_kernel.items()}
    scores = np.einsum(
        "btnk,bsnk->bnts",
        np.einsum("btd,dnk->btnk", q, w["query"]) / np.sqrt(3),
        np.einsum("bsd,dnk->bsnk", x, w["key"]),
    )
    a = np.exp(scores - scores.max(-1, keepdims=True))
    a /= a.sum(-1, keepdims=True)
    values = np.einsum("bsd,dnk->bsnk", x, w["value"])
    y = np.einsum("bnts,bsnk,nkd->btd", a, values, w["attention_output"])
    error = normal(*y.shape)
    # dE/dY -> heads (V of the output) -> values -> X (V of the value projection), and
    # heads -> attention -> softmax -> queries and keys -> Q and X (their Vs).
    heads = np.einsum("btd,nkd->btnk", error, v["attention_output"])
    d_values = np.einsum("bnts,btnk->bsnk", a, heads)
    d_a = np.einsum("btnk,bsnk->bnts", heads, values)
    d_scores = a * (d_a - np.sum(d_a * a, -1, keepdims=True)) / np.sqrt(3)
    keys = np.einsum("bsd,dnk->bsnk", x, w["key"])
    queries = np.einsum("btd,dnk->btnk", q, w["query"])
    dq = np.einsum("bnts,bsnk,dnk->btd", d_scores, keys, v["query"])
    d_key = np.einsum("bnts,btnk,dnk->bsd", d_scores, queries, v["key"])
    d_value = np.einsum("bsnk,dnk->bsd", d_values, v["value"])

    q, k, x = tf.constant(q), tf.constant(x), tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch([q, k, x])
        outputs = layer(q, x, key=k)
    actual = [outputs, *tape.gradient(outputs, [q, k, x], error)]
    for ours, expected in zip(actual, (y, dq, d_key, d_value), strict=True):
        np.testing.assert_allclose(ours, expected, **CLOSE)


@pytest.mark.parametrize("rule", ["brSF", "frSF", "RndF"])
@pytest.mark.parametrize("seed", [None, 5])
def test_each_projection_has_its_own_stream(rule, seed):
    rule = type(feedbacks.get(rule))(seed=seed)
    layer = make(
        rule, ((2, 3, 12),) * 2, use_gate=True, key_dim=6, kernel_initializer="ones"
    )
    parts = projections(layer)
    assert len({id(part.feedback) for part in parts.values()}) == 5
    seeds = [part.feedback.seed for part in parts.values()]
    assert seeds == [None] * 5 if seed is None else len({seed, *seeds}) == 6
    numbers = [part.feedback_kernel.numpy().ravel() for part in parts.values()]
    for i, first in enumerate(numbers):
        for second in numbers[:i]:
            # Of numbers with 16 bits a few are equal by chance.
            assert np.isin(first, second).mean() < 0.05


def test_pairs_are_those_of_the_projections():
    layer = make("frSF")
    pairs = {name: (kernel, v) for name, kernel, v in layer.feedback_pairs()}
    assert set(pairs) == NAMES
    for name, part in projections(layer).items():
        kernel, v = pairs[name]
        assert kernel is part.kernel
        np.testing.assert_array_equal(v, part.feedback_kernel)
    # Kernels of a model are those of its projections, each once.
    assert set(metrics.alignment(layer)) == {f"{layer.name}/{name}" for name in NAMES}


def test_a_seed_reproduces_v():
    first, again = (make(feedbacks.FixedRandom(seed=5)) for _ in range(2))
    for name in NAMES:
        np.testing.assert_array_equal(
            first.feedback_kernel[name], again.feedback_kernel[name]
        )


@pytest.mark.parametrize(
    "redraw", [redraw_feedback, AsymMultiHeadAttention.redraw_feedback]
)
def test_all_projections_are_redrawn_once(redraw):
    layer = make("brSF")
    before = layer.feedback_kernel
    redraw(layer)
    assert {part.feedback.draws for part in projections(layer).values()} == {1}
    for name, v in layer.feedback_kernel.items():
        assert not np.any(v == before[name])


def test_nusf_divides_by_the_inputs_of_each_projection():
    layer = make("NuSF", key_dim=3, num_heads=2)
    fan_in = {"query": 4, "key": 6, "value": 6, "attention_output": 2 * 3}
    for name, v in layer.feedback_kernel.items():
        np.testing.assert_allclose(np.abs(v), np.full(v.shape, 1 / fan_in[name]))


def gradients(layer, *inputs, **arguments):
    inputs = [tf.constant(x) for x in inputs]
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        y = layer(*inputs, **arguments)
        loss = tf.reduce_sum(y**2)
    weights = [weight.value for weight in layer.trainable_weights]
    return y, *tape.gradient(loss, [*inputs, *weights])


MASK = np.array([[[1, 0, 1, 1, 0]] * 3, [[1, 1, 1, 0, 0]] * 3], bool)


@pytest.mark.parametrize(
    ("arguments", "call"),
    [
        ({}, {}),
        ({}, {"attention_mask": MASK}),
        ({"use_gate": True, "use_bias": False}, {}),
        ({"value_dim": 5, "output_shape": 7}, {}),
    ],
    ids=["plain", "mask", "gate", "dimensions"],
)
def test_bp_is_multi_head_attention_to_the_last_bit(arguments, call):
    layer = make("BP", **arguments)
    config = layer.get_config()
    del config["feedback"]
    stock = keras.layers.MultiHeadAttention.from_config(config)
    stock.build(QUERY, VALUE)
    stock.set_weights(layer.get_weights())
    inputs = normal(*QUERY), normal(*VALUE)
    for actual, expected in zip(
        gradients(layer, *inputs, **call),
        gradients(stock, *inputs, **call),
        strict=True,
    ):
        np.testing.assert_array_equal(actual, expected)


@pytest.mark.parametrize("rule", ["uSF", "RndF"])
def test_masked_values_get_no_error(rule):
    layer = make(rule)
    _, _, dx, *_ = gradients(layer, normal(*QUERY), normal(*VALUE), attention_mask=MASK)
    seen = MASK.any(axis=1)
    assert np.all(dx.numpy()[~seen] == 0)
    assert np.all(dx.numpy()[seen] != 0)


def test_causal_masks_and_scores():
    layer = make("uSF", ((2, 3, 4),) * 2)
    x = normal(2, 3, 4)
    y, scores = layer(x, x, use_causal_mask=True, return_attention_scores=True)
    assert y.shape == (2, 3, 4)
    assert np.all(np.triu(scores.numpy(), 1) == 0)


def test_keras_masks_are_used():
    inputs = keras.Input((None,), dtype="int32")
    x = keras.layers.Embedding(9, 4, mask_zero=True)(inputs)
    outputs = AsymMultiHeadAttention(2, 3, feedback="uSF")(x, x)
    model = keras.Model(inputs, outputs)
    short, padded = model(np.array([[3, 4]])), model(np.array([[3, 4, 0, 0]]))
    np.testing.assert_allclose(padded[:, :2], short, **CLOSE)


@pytest.mark.parametrize("use_gate", [False, True])
@pytest.mark.parametrize("rule", ["brSF", "frSF"])
def test_saved_and_loaded(rule, use_gate, tmp_path):
    query, value = keras.Input(QUERY[1:]), keras.Input(VALUE[1:])
    layer = AsymMultiHeadAttention(2, 3, use_gate=use_gate, feedback=rule, name="mha")
    model = keras.Model([query, value], layer(query, value))
    redraw_feedback(model)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    again = loaded.get_layer("mha")
    assert again.feedback_kernel.keys() == layer.feedback_kernel.keys()
    for name, v in layer.feedback_kernel.items():
        np.testing.assert_array_equal(again.feedback_kernel[name], v)
    inputs = [normal(*QUERY), normal(*VALUE)]
    np.testing.assert_array_equal(loaded(inputs), model(inputs))


def test_lora_and_quantization_are_refused():
    layer = make("uSF")
    for part in (layer, *projections(layer).values()):
        with pytest.raises(
            ValueError, match=r"does not support LoRA.* Use keras.layers"
        ):
            part.enable_lora(2)
        with pytest.raises(ValueError, match=r"support quantization.*Train first"):
            part.quantize("int8")
    model = keras.Sequential([keras.Input((3, 4)), SelfAttention()])
    with pytest.raises(ValueError, match="does not support quantization"):
        model.quantize("int8")


class SelfAttention(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.attention = AsymMultiHeadAttention(2, 3)

    def build(self, shape):
        self.attention.build(shape, shape)

    def call(self, x):
        return self.attention(x, x)


def test_the_user_s_own_functions_are_kept():
    def own(weights):
        return 0.1 * keras.ops.sum(weights**2)

    layer = AsymMultiHeadAttention(2, 3, feedback="frSF", kernel_regularizer=own)
    x = np.ones((2, 4, 5), "float32")
    layer(x, x)
    stock = keras.layers.MultiHeadAttention(2, 3, kernel_regularizer=own)
    stock(x, x)
    assert layer.query_dense.kernel_regularizer is own
    assert len(layer.losses) == len(stock.losses)
