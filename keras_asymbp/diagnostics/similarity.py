"""Whether two networks represent the same inputs alike."""

from typing import Any

import numpy as np
from keras import ops

from keras_asymbp import _batches
from keras_asymbp._kernels import layers_with_kernels, stock_layers
from keras_asymbp._state import unchanged, untrained
from keras_asymbp._subjects import check_layer
from keras_asymbp.diagnostics.taps import can_be_tapped, tapped, value_of, with_values


def linear_cka(x, y, debiased: bool = False) -> float:
    """Returns the linear CKA of two representations of the same examples.

    With centered columns, `|Y^T X|^2 / (|X^T X| |Y^T Y|)`, of Frobenius norms: 1 for
    representations that differ by a rotation, a scale and a shift only. With fewer
    examples than features, any two representations look alike. `debiased` takes the
    unbiased estimates of the three terms (HSIC_1): about 0 for independent
    representations, on either side.

    Args:
        x (tensor): Of shape `(examples, ...)`; what follows the examples is flattened.
        y (tensor): Of shape `(examples, ...)`.
        debiased (bool): Whether to use the unbiased estimates. They need 4 examples.

    Returns:
        The similarity; NaN if a representation is the same for all examples.

    Raises:
        ValueError: If the numbers of examples differ, or are too small.

    >>> x = np.array([[1.0, 0.0], [0.0, 2.0], [-1.0, 1.0]])
    >>> round(linear_cka(x, 3 * x[:, ::-1] + 1), 6)
    1.0

    Source: Kornblith et al., "Similarity of Neural Network Representations Revisited",
    ICML 2019; Song et al., "Feature Selection via Dependence Maximization", JMLR 2012,
    for the unbiased estimates.
    """
    x, y = (np.asarray(ops.convert_to_numpy(each), np.float64) for each in (x, y))
    least = 4 if debiased else 2
    if x.shape[:1] != y.shape[:1] or x.ndim == 0 or len(x) < least:
        raise ValueError(
            f"Expected two representations of the same examples, at least {least}. "
            f"Received: shapes {x.shape} and {y.shape}"
        )
    x, y = _centered(x), _centered(y)
    xx, yy = x @ x.T, y @ y.T
    independence = _unbiased if debiased else _biased
    with np.errstate(divide="ignore", invalid="ignore"):
        own = independence(xx, xx) * independence(yy, yy)
        return float(independence(xx, yy) / np.sqrt(own))


def similarity(model, twin, batches, debiased: bool = True) -> dict[str, float]:
    """Returns the linear CKA of each layer's outputs in two models.

    Layers are those with kernels that have the same path in both models, such as those
    of a model and of its `symmetrize(model)`, trained by backpropagation. Outputs are
    those of inference, after the activation. If a layer is called several times, the
    features of all calls are compared together. Neither model is changed.

    Args:
        model (Model): A built Keras model.
        twin (Model): Another that takes the same inputs.
        batches (Iterable): Iterable of `(x, ...)` batches; y is ignored.
        debiased (bool): See `linear_cka`. Without it, layers with more features than
            the batches have examples look alike in any two networks.

    Returns:
        The similarity of each layer by its path, as in `diagnose`.

    Raises:
        ValueError: If `batches` is empty, an element isn't a batch, no layer is in both
            models, one of both isn't a layer, or the examples are too few for
            `linear_cka`.

    >>> import keras
    >>> import keras_asymbp
    >>> layer = keras_asymbp.AsymDense(5, name="hidden")
    >>> model = keras.Sequential([keras.Input((3,)), layer])
    >>> twin = keras_asymbp.symmetrize(model)
    >>> x = np.random.default_rng(0).normal(size=(8, 3))
    >>> round(similarity(model, twin, [(x,)])["hidden"], 6)
    1.0
    """
    batches = _batches.checked(batches, least=1)
    common = common_layers(model, twin)
    ours, theirs = zip(*common.values(), strict=True)
    x, y = _outputs(model, ours, batches), _outputs(twin, theirs, batches)
    return {
        name: linear_cka(a, b, debiased)
        for name, a, b in zip(common, x, y, strict=True)
        if a is not None and b is not None
    }


def common_layers(model, twin) -> dict[str, tuple[Any, Any]]:
    """The layers that `similarity` compares, by their path: the model's, the twin's.

    Raises:
        ValueError: If there are none, or one of both isn't a layer.
    """
    check_layer(model)
    check_layer(twin, "twin")
    ours, theirs = (_layers(each) for each in (model, twin))
    common = {name: (ours[name], theirs[name]) for name in ours if name in theirs}
    if not common:
        raise ValueError(
            "Expected a twin with layers of the model's names. Received: "
            f"{', '.join(ours) or 'none'} in the model, and "
            f"{', '.join(theirs) or 'none'} in the twin"
        )
    return common


def _layers(model):
    with unchanged(untrained(model)):
        parts = layers_with_kernels(model, stock_layers())
    return {part.name: part.layer for part in parts if can_be_tapped(part.layer)}


def _outputs(model, layers, batches):
    """Returns a matrix of examples and features for each layer; None if not called."""

    def listen():
        batchwise = []

        def note(number, activation, n):
            outputs = activation(n)
            found = value_of(outputs)
            batchwise[-1][number].append(found.reshape(len(found), -1))
            return outputs

        with unchanged(untrained(model)), tapped(layers, note):
            for x, *_ in batches:
                batchwise.append([[] for _ in layers])
                model(x, training=False)
        return batchwise

    batchwise, _ = with_values(listen)
    return [
        np.concatenate([np.concatenate(calls, axis=1) for calls in each])
        if all(each)
        else None
        for each in zip(*batchwise, strict=True)
    ]


def _centered(values):
    values = values.reshape(len(values), -1)
    return values - values.mean(axis=0)


def _biased(a, b):
    return np.sum(a * b)


def _unbiased(a, b):
    """HSIC_1 of two Gram matrices, up to a factor of their size."""
    n = len(a)
    a, b = (each - np.diag(np.diag(each)) for each in (a, b))
    return (
        np.sum(a * b)
        + a.sum() * b.sum() / ((n - 1) * (n - 2))
        - 2 / (n - 2) * a.sum(axis=0) @ b.sum(axis=0)
    )
