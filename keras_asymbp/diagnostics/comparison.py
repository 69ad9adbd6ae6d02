"""Each layer's error and gradient, compared with backpropagation's."""

import operator
from typing import Any

import numpy as np

from keras_asymbp import _batches
from keras_asymbp._kernels import layers_with_kernels, stock_layers, trained_kernels
from keras_asymbp._state import unchanged, untrained
from keras_asymbp._subjects import check_compiled
from keras_asymbp._switch import backpropagation
from keras_asymbp.diagnostics.errors import backward, preactivations
from keras_asymbp.diagnostics.similarity import common_layers, similarity
from keras_asymbp.diagnostics.sums import ErrorSums
from keras_asymbp.diagnostics.taps import can_be_tapped
from keras_asymbp.metrics import angle


def diagnose(model, batches, twin=None) -> dict[str, dict[str, float]]:
    """Compares each layer's error and gradient with backpropagation's.

    With N a layer's pre-activation (eq. 1) and L the loss, E = dL/dN is the error that
    arrives there: a matrix with a column for each unit, and a row for each example,
    position and call of the layer. G = dL/dW is the gradient of a kernel, summed over
    batches and calls. E' and G' are backpropagation's, at the same weights and with the
    same dropout. Products and norms are those of vectors.

    For each layer with a kernel, asymmetric or not:

        preactivation_rms            root of the mean of N^2
        error_rms, bp_error_rms      roots of the means of E^2 and E'^2
        error_cosine                 <E, E'> / (|E| |E'|)
        error_norm_ratio             |E| / |E'|
        error_effective_rank,        of E and E': see `effective_rank`
        bp_error_effective_rank
        cka                          see `similarity`; with a twin

    and for each of its kernels that is trained:

        gradient_angle               arccos(gradient_cosine), in degrees
        gradient_cosine              <G, G'> / (|G| |G'|)
        gradient_norm_ratio          |G| / |G'|
        gradient_relative_error      |G - G'| / |G'|
        gradient_decrease            <G, G'> / |G'|^2

    `gradient_decrease` is the decrease of the loss by a small step of gradient descent
    on this kernel, as a share of the decrease by a step of backpropagation at the same
    rate. A cosine is NaN if either of its vectors is zero, a ratio if that of
    backpropagation is. The model is not changed.

    Args:
        model (Model): A built and compiled Keras model.
        batches (Iterable): Iterable of `(x, y)` or `(x, y, sample_weight)` batches.
        twin (Model | None): A model with layers of the same names, for `cka`: a twin
            that was trained by backpropagation. None for no comparison.

    Returns:
        The measures of each layer, by name. The name of a layer inside another layer
        or model has both names, `"block/conv"`. A layer with two kernels has the
        measures of their gradients under names of their own, such as
        `"conv/depthwise_kernel"`. A subclass that doesn't apply its attribute
        `activation` to N has no measures of N and of the error.

    Raises:
        ValueError: If `batches` is empty, or an element isn't a batch; if the model
            isn't built and compiled; with a twin, if no layer is in both, or the
            batches have fewer than 4 examples.

    >>> import keras
    >>> import keras_asymbp
    >>> keras.utils.set_random_seed(0)
    >>> rule = keras_asymbp.feedbacks.UniformSignConcordant()
    >>> hidden = keras_asymbp.AsymDense(5, activation="tanh", name="hidden")
    >>> logits = keras_asymbp.AsymDense(2, feedback=rule, name="logits")
    >>> model = keras.Sequential([keras.Input((3,)), hidden, logits])
    >>> model.compile("sgd", "mse")
    >>> measures = diagnose(model, [(np.ones((4, 3)), np.ones((4, 2)))])
    >>> round(measures["logits"]["error_cosine"], 6)
    1.0
    >>> measures["hidden"]["error_norm_ratio"] > 1.1
    True

    Source: Hao, Wan and Zhai, arXiv 2606.21126, for scales and the validity of the
    reference beside each cosine; Boeshertz, Pascanu and Clopath, arXiv 2606.11123, for
    the effective rank of the error; Lance and Kieu, arXiv 2605.08564, for comparing
    representations.
    """
    batches = _batches.checked(batches)
    check_compiled(model)
    if twin is not None:
        common_layers(model, twin)  # a wrong twin costs no backward pass
    with unchanged(untrained(model)):
        parts = layers_with_kernels(model, stock_layers())
    kernels = trained_kernels(model, parts)
    layers = {part.name: part.layer for part in parts if can_be_tapped(part.layer)}

    taps, variables = list(layers.values()), list(kernels.values())
    sums = [ErrorSums() for _ in layers]
    gradients, bp_gradients = ([0.0] * len(kernels) for _ in range(2))
    state = untrained(model)
    with unchanged(state):
        # Errors are large: those of one batch are held at a time.
        for batch in batches:
            calls, context = preactivations(model, taps, batch)
            with unchanged(state):
                found = backward(model, taps, variables, batch, calls, context)
            with backpropagation():  # the next batch goes on from its state
                reference = backward(model, taps, variables, batch, calls, context)
            for number, n in calls:
                sums[number].add_preactivations(n)
            for each, *pair in zip(sums, found.errors, reference.errors, strict=True):
                each.add(*pair)
            gradients = list(map(operator.add, gradients, found.gradients))
            bp_gradients = list(map(operator.add, bp_gradients, reference.gradients))

    measures: dict[str, dict[str, float]] = {
        name: each.measures()
        for name, each in zip(layers, sums, strict=True)
        if each.called
    }
    for name, *pair in zip(kernels, gradients, bp_gradients, strict=True):
        measures.setdefault(name, {}).update(_of_gradient(*pair))
    if twin is not None:
        for name, value in similarity(model, twin, batches).items():
            measures.setdefault(name, {})["cka"] = value
    return measures


def _of_gradient(gradient: Any, bp_gradient: Any) -> dict[str, float]:
    degrees = angle(gradient, bp_gradient)
    cosine = float(np.cos(np.deg2rad(degrees)))
    ratio = _ratio(gradient, bp_gradient)
    return {
        "gradient_angle": degrees,
        "gradient_cosine": cosine,
        "gradient_norm_ratio": ratio,
        "gradient_relative_error": _ratio(gradient - bp_gradient, bp_gradient),
        "gradient_decrease": 0.0 if ratio == 0 else ratio * cosine,
    }


def _ratio(a, b):
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.nan if not b.any() else _norm(a) / _norm(b))


def _norm(values):
    return np.linalg.norm(values.ravel())
