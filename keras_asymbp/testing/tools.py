"""Tools of the checks: tiny layers and models, their parts, and comparisons."""

import keras
import numpy as np
from keras import ops

from keras_asymbp import backend, feedbacks
from keras_asymbp.feedbacks import Feedback
from keras_asymbp.layers import LAYERS, asymmetric_layers

SAMPLES = 4


def new_rule(rule) -> Feedback:
    """Returns a new rule: a rule belongs to one layer."""
    if isinstance(rule, Feedback):
        return type(rule).from_config(rule.get_config())
    if callable(rule):
        rule = rule()
    return feedbacks.get(rule)


def rule_name(rule):
    if isinstance(rule, (str, type(None))):
        return repr(rule or "BP")
    if isinstance(rule, dict):
        return str(rule.get("class_name"))
    return getattr(rule, "__name__", type(rule).__name__)


def make_layer(case, rule, seed=0, **more):
    """Returns a layer with its own rule, and weights of both signs and zero."""
    keras.utils.set_random_seed(seed)
    layer = LAYERS[case.layer](**case.arguments | more, feedback=new_rule(rule))
    layer(*make_inputs(case, layer.compute_dtype))
    fill(own_weights(layer))
    return layer


def make_parts(case, rule):
    """Returns a layer with its own rule, inputs, and the weights to differentiate."""
    layer = make_layer(case, rule)
    return layer, make_inputs(case), own_weights(layer)


def make_model(case, *rules, seed=0):
    """Returns a model with a layer for each rule, each on top of a stock layer.

    Returns:
        The model, and the asymmetric layers.
    """
    keras.utils.set_random_seed(seed)
    inputs = keras.Input(case.shape)
    layers, outputs = [], {}
    for number, rule in enumerate(rules):
        x = keras.layers.Dense(case.shape[-1])(inputs)
        layers.append(LAYERS[case.layer](**case.arguments, feedback=new_rule(rule)))
        y = layers[-1](*[x] * case.inputs)
        outputs[f"rule_{number}"] = keras.layers.Flatten()(y)
    model = keras.Model(inputs, outputs if len(rules) > 1 else outputs["rule_0"])
    for layer in layers:
        fill(own_weights(layer))
    return model, layers


def fill(weights):
    generator = np.random.default_rng(2)
    for weight in weights:
        value = generator.normal(size=weight.shape)
        if value.ndim > 1:
            value.flat[0] = 0
        weight.assign(value / 2)


def make_inputs(case, dtype="float32"):
    values = np.random.default_rng(0).normal(size=(case.inputs, SAMPLES, *case.shape))
    return [ops.convert_to_tensor(value, dtype) for value in values]


def make_batch(model):
    """Returns inputs and targets for a model."""
    generator = np.random.default_rng(0)

    def normal(tensor):
        return generator.normal(size=(SAMPLES, *tensor.shape[1:])).astype("float32")

    return normal(model.inputs[0]), keras.tree.map_structure(normal, model.output)


def error_for(y):
    values = np.random.default_rng(1).normal(size=y.shape)
    return ops.convert_to_tensor(values, keras.backend.standardize_dtype(y.dtype))


def own_weights(layer):
    """Returns a layer's weights without those of its rules."""
    rules = {id(weight) for rule in rules_of(layer) for weight in rule.variables}
    return [weight for weight in layer.weights if id(weight) not in rules]


def rules_of(layer):
    return [part for part in layer._flatten_layers() if isinstance(part, Feedback)]


def pairs_of(layer):
    """Returns name, W and V of each kernel of a layer and of the layers inside it."""
    return [
        (f"{part.name}.{attribute}", kernel, v)
        for part in asymmetric_layers(layer)
        if part.feedback_rules()  # others have those of their projections
        for attribute, kernel, v in part.feedback_pairs()
    ]


def feedback_kernels(layer):
    return [v for *_, v in pairs_of(layer)]


def stock_twin(layer, **changes):
    """Returns the stock Keras layer with a layer's configuration and weights."""
    twin = type(layer).twin()
    stock = twin.from_config(twin.get_config(layer) | changes)
    stock.build_from_config(layer.get_build_config())
    for weight, value in zip(stock.weights, own_weights(layer), strict=True):
        weight.assign(value)
    return stock


def gradients_of(function, xs, weights):
    """Returns the output, and the gradients in inputs and weights for an error."""
    y, gradients = backend.gradients(function, xs, weights, error_for)
    return [y, *gradients]


class _Parent(keras.layers.Layer):
    """Calls a layer, and tells it whether it is trained; not every layer asks."""

    def __init__(self, layer):
        super().__init__(dtype=layer.dtype_policy, name="parent")
        self.layer = layer
        self.built = True

    def call(self, *xs, training=None):
        return self.layer(*xs)


def parent_of(layer):
    """Returns a layer that calls a layer, with a `training` argument of its own."""
    return _Parent(layer)


def trained_gradients(layer, xs, weights):
    """Returns `gradients_of` a layer, of whose V the rule takes note as in training.

    TensorFlow does so in each gradient; JAX in forward passes of training, where only
    an eager one can write it down.
    """
    gradients = gradients_of(layer, xs, weights)
    parent_of(layer)(*xs, training=True)
    return gradients


def labels_of(layer, xs):
    inputs = [f"dE/dX of input {number}" for number, _ in enumerate(xs)]
    return ["outputs", *inputs, *(f"dE/d{w.path}" for w in own_weights(layer))]


def assert_equal(actual, expected, labels):
    for number, (a, e) in enumerate(zip(actual, expected, strict=True)):
        label = labels if isinstance(labels, str) else labels[number]
        np.testing.assert_array_equal(a, e, err_msg=label)


def assert_same_v(layer, actual, expected, label):
    """Asserts that V is the same, bit for bit.

    A trained V may be a product, whose sums have another order when compiled.
    """
    if any(rule.trained for rule in rules_of(layer)):
        assert_close(actual, expected, [label] * len(actual), atol=1e-6)
    else:
        assert_equal(actual, expected, label)


def assert_close(actual, expected, labels, rtol=1e-4, atol=1e-5):
    """Asserts closeness: `rtol`, or `atol` relative to the largest element."""
    for number, (a, e) in enumerate(zip(actual, expected, strict=True)):
        label = labels if isinstance(labels, str) else labels[number]
        assert (a is None) == (e is None), f"{label} is {a}, expected {e}"
        if a is not None:
            a, e = (ops.convert_to_numpy(each).astype("float64") for each in (a, e))
            scale = max(1.0, np.abs(e).max(initial=0))
            np.testing.assert_allclose(
                a, e, rtol=rtol, atol=atol * scale, err_msg=label
            )
