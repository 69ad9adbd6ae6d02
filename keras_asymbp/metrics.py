"""The alignment of feedback with forward weights, and of gradients with BP's.

All metrics are computed in float64 by NumPy: they are for inspection, not for training.
"""

import numpy as np
from keras.ops import convert_to_numpy

from keras_asymbp import _batches
from keras_asymbp._kernels import layers_with_kernels, stock_layers, trained_kernels
from keras_asymbp._state import unchanged, untrained
from keras_asymbp._subjects import check_compiled, check_layer
from keras_asymbp._switch import backpropagation
from keras_asymbp.backend import gradients, inlined
from keras_asymbp.error_routes import DirectFeedback

__all__ = ["alignment", "angle", "gradient_angles", "norm_ratio", "sign_concordance"]


def angle(a, b) -> float:
    """Returns the angle between two arrays as vectors, in degrees.

    `arccos(<a, b> / (|a| |b|))`, in [0, 180]; NaN if one of them is zero or empty.

    Args:
        a (tensor): An array or tensor of floats.
        b (tensor): Another of the same size.

    Raises:
        ValueError: If the sizes differ.

    >>> angle([2.0, 0.0], [0.0, 3.0])
    90.0
    """
    a, b = _vectors(a, b)
    if not (a.any() and b.any()):
        return float("nan")
    with np.errstate(invalid="ignore"):
        u, v = a / np.linalg.norm(a), b / np.linalg.norm(b)
    # By arctan2, because arccos loses half of the digits of small angles.
    return float(
        np.rad2deg(2 * np.arctan2(np.linalg.norm(u - v), np.linalg.norm(u + v)))
    )


def norm_ratio(kernel, feedback_kernel) -> float:
    """Returns `|V| / |W|`, of Euclidean norms; NaN or infinite if W is zero.

    Args:
        kernel (tensor): W, an array or tensor of floats.
        feedback_kernel (tensor): V, another of the same size.

    Raises:
        ValueError: If the sizes differ.

    >>> norm_ratio([3.0, 4.0], [0.0, 1.0])
    0.2
    """
    w, v = _vectors(kernel, feedback_kernel)
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.linalg.norm(v) / np.linalg.norm(w))


def sign_concordance(kernel, feedback_kernel) -> float:
    """Returns the share of weights whose V has the sign of W; zero counts as a sign.

    Args:
        kernel (tensor): W, an array or tensor of floats.
        feedback_kernel (tensor): V, another of the same size.

    Raises:
        ValueError: If the sizes differ.

    >>> sign_concordance([1.0, -2.0, 3.0, 0.0], [0.5, 2.0, 1.0, 0.0])
    0.75
    """
    w, v = _vectors(kernel, feedback_kernel)
    return float(np.mean(np.sign(w) == np.sign(v)))


def alignment(model) -> dict[str, dict[str, float]]:
    """Compares W and V of every asymmetric layer of a model.

    Args:
        model (Model): A built Keras model.

    Returns:
        The `angle` in degrees, `norm_ratio` and `sign_concordance` of each layer, by
        name. The name of a layer inside another layer or model has both names,
        `"block/conv"`; that of a kernel of a layer with two has the kernel's,
        `"conv/depthwise_kernel"`.

    Raises:
        ValueError: If the model isn't a model or layer of Keras.

    >>> import keras
    >>> import keras_asymbp
    >>> layer = keras_asymbp.AsymDense(30, feedback="uSF", name="hidden")
    >>> model = keras.Sequential([keras.Input((40,)), layer])
    >>> keras_asymbp.metrics.alignment(model)["hidden"]["sign_concordance"]
    1.0
    """
    check_layer(model)
    with unchanged(untrained(model)):
        return {
            name: {
                "angle": angle(kernel, feedback_kernel),
                "norm_ratio": norm_ratio(kernel, feedback_kernel),
                "sign_concordance": sign_concordance(kernel, feedback_kernel),
            }
            for part in layers_with_kernels(model)
            for name, (kernel, feedback_kernel) in part.kernels.items()
        }


def gradient_angles(model, batches) -> dict[str, float]:
    """Returns the angle of each kernel's gradient to backpropagation's, in degrees.

    Both are gradients of the model's loss, summed over the same batches at the same
    weights, in training mode with the same dropout. The model is not changed. With
    `direct_feedback` the kernels of stock Keras layers are included.

    Args:
        model (Model): A built and compiled Keras model.
        batches (Iterable): Iterable of `(x, y)` or `(x, y, sample_weight)` batches.

    Returns:
        The angle of each layer, by the names of `alignment`; NaN if a gradient is
        zero. Frozen kernels are left out.

    Raises:
        ValueError: If `batches` is empty, or an element isn't a batch; or if the model
            isn't built and compiled.
    """
    batches = _batches.checked(batches)
    check_compiled(model)
    with unchanged(untrained(model)):
        parts = layers_with_kernels(model, _stock(model))
    kernels = trained_kernels(model, parts)
    asymmetric = _summed_gradients(model, list(kernels.values()), batches)
    with backpropagation(), inlined():
        symmetric = _summed_gradients(model, list(kernels.values()), batches)
    return dict(zip(kernels, map(angle, asymmetric, symmetric), strict=True))


def training_loss(model, x, y, sample_weight=None):
    """Returns a compiled model's loss on a batch, in training mode.

    As in `fit`, the loss is scaled if the optimizer scales it.
    """
    outputs = model(x, training=True)
    value = model.compute_loss(x, y, outputs, sample_weight, training=True)
    return model.optimizer.scale_loss(value)


def _summed_gradients(model, kernels, batches):
    with unchanged(untrained(model)):
        batchwise = [
            gradients(lambda batch=batch: training_loss(model, *batch), [], kernels)[1]
            for batch in batches
        ]
    return summed(kernels, batchwise)


def summed(variables, batchwise):
    """Returns the sum over batches of each variable's gradient, which may be None."""
    return [
        np.sum(
            [
                np.zeros(variable.shape) if each is None else convert_to_numpy(each)
                for each in found
            ],
            axis=0,
        )
        for variable, found in zip(variables, zip(*batchwise, strict=True), strict=True)
    ]


def _stock(model):
    """Returns the stock layer classes if the model has direct feedback, else none."""
    if not any(isinstance(layer, DirectFeedback) for layer in model._flatten_layers()):
        return ()
    return stock_layers()


def _vectors(a, b):
    a, b = (np.asarray(convert_to_numpy(each), np.float64) for each in (a, b))
    if a.size != b.size:
        raise ValueError(
            f"Expected two arrays of one size. Received: shapes {a.shape} and {b.shape}"
        )
    return a.ravel(), b.ravel()
