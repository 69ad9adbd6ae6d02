"""The backward pass through V, in terms of `backend`."""

import math
import warnings
from collections.abc import Callable, Sequence
from typing import Any

from keras import ops

from keras_asymbp import backend
from keras_asymbp._switch import backpropagation

Product = Callable[[Any, Any], Any]


def asymmetric(
    product: Product,
    inputs: Any,
    kernel: Any,
    feedback_kernel: Callable[[], Any],
    commit: Callable[[], None] = lambda: None,
    trained: bool = False,
) -> Any:
    """Applies a product of inputs and kernel whose error travels back through V.

    With `Y = product(X, W)` the forward pass is the product itself (eq. 1) and
    the backward pass is

        dE/dX = the gradient in X of product(X, V), for the error dE/dY   (eq. 2)
        dE/dW = the gradient in W of product(X, W), for the error dE/dY

    so a matrix product gives `dE/dX = dE/dY V^T` and `dE/dW = X^T dE/dY`. Both are the
    backend's own gradients, so every stride, padding, dilation, group, data format and
    second derivative that it supports works. A compiled step drops unused gradients
    (the first layer's dE/dX) and the forward products below.

    Args:
        product (Callable): Function of two tensors that is linear in each of them, for
            example `keras.ops.matmul`.
        inputs (tensor): X, a float tensor of any shape that `product` accepts. If it is
            sparse, its values are the inputs: dE/dX has their places only.
        kernel (tensor): W, a float tensor of the dtype of `inputs`.
        feedback_kernel (Callable): Function without arguments that returns V, a tensor
            with the shape of `kernel`. TensorFlow calls it in the backward pass if it
            can, JAX in the forward pass.
        commit (Callable): Function without arguments that is called after V was read;
            it may change a rule's state.
        trained (bool): Whether V is a variable that is trained with W's gradient: dE/dV
            = dE/dW.

    Returns:
        `product(inputs, kernel)`.

    Example:

    >>> x, w, v = ops.ones((1, 2)), ops.ones((2, 3)), ops.full((2, 3), 5.0)
    >>> y, [dx] = backend.gradients(
    ...     lambda x: asymmetric(ops.matmul, x, w, lambda: v), [x], []
    ... )
    >>> ops.convert_to_numpy(y).tolist(), ops.convert_to_numpy(dx).tolist()
    ([[2.0, 2.0, 2.0]], [[15.0, 15.0]])

    Source: equations 1 and 2, section 2, of Liao, Leibo and Poggio, "How Important
    Is Weight Symmetry in Backpropagation?", AAAI 2016.
    """
    if backpropagation:
        return product(inputs, kernel)
    return backend.with_feedback(
        product,
        inputs,
        kernel,
        feedback_kernel,
        of_inputs=lambda f, x, v, error: backend.vjp(lambda x: f(x, v), x, error),
        of_kernel=lambda f, x, w, error: backend.vjp(lambda w: f(x, w), w, error),
        commit=commit,
        trained=trained,
    )


def mirrored(product: Product, noise: Any, kernel: Any) -> Any:
    """Estimates W from the correlation of a layer's noise input with its response.

    Let Xi be noise of mean 0 and variance 1, independent between its elements, with the
    response `Y = product(Xi, W)`. Summed over the pairs of input and output that a
    weight connects, input times output is on average that weight times their number:

        E[Xi^T Y] = (1^T 1) W    for a matrix product, and

        E[C(Xi, product(Xi, W))] = C(1, 1) W

    for any product, where C(X, E) is its gradient in W at X for the error E. The
    estimate is the left side over that number.

    Args:
        product (Callable): Function of two tensors that is linear in each of them.
        noise (tensor): Xi, a float tensor of any shape that `product` accepts.
        kernel (tensor): W, a float tensor of the dtype of `noise`.

    Returns:
        The estimate, a tensor with the shape of `kernel`; 0 for a weight that the
        product doesn't use.

    >>> noise = ops.array([[1.0, 1.0], [1.0, -1.0]])  # uncorrelated columns
    >>> estimate = mirrored(ops.matmul, noise, ops.array([[3.0], [4.0]]))
    >>> ops.convert_to_numpy(estimate).tolist()
    [[3.0], [4.0]]

    Source: Akrout et al., "Deep Learning without Weight Transport", 2019, section 3.
    """
    kernel = ops.convert_to_tensor(kernel)

    def correlation(inputs, error):
        return backend.vjp(lambda w: product(inputs, w), kernel, error)

    response = product(noise, kernel)
    pairs = correlation(ops.ones_like(noise), ops.ones_like(response))
    return ops.divide_no_nan(correlation(noise, response), pairs)


def direct(
    outputs: Any,
    inputs: Sequence[Any],
    matrices: Sequence[Any],
    signal: Callable[[Any, Any], Any] | None = None,
) -> Any:
    """Returns `outputs`, whose error also goes directly to each of `inputs`.

    With e = dE/dY, flattened to one row per example, and X_l one of the inputs,

        dE/dY   = e, passed on
        dE/dX_l = e B_l, in the shape of X_l, added to any other error of X_l

    Within `vectorized_map`, TensorFlow keeps a `signal` only if the gradient is taken
    within it, too; a warning says so.

    Args:
        outputs (tensor): Y, a float tensor of shape `(batch, ...)`.
        inputs (list[tensor]): The X_l, float tensors of shape `(batch, ...)`.
        matrices (list[tensor]): The B_l, one for each X_l, of shape `(elements of Y,
            elements of X_l)`, counted in one example.
        signal (Callable | None): Function of Y and dE/dY that returns the e that is
            sent, a tensor of their shape; by default dE/dY.

    Returns:
        `outputs`.

    Example:

    >>> x, y = ops.ones((1, 3)), ops.ones((1, 2))
    >>> b = ops.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    >>> _, [dx] = backend.gradients(lambda x: direct(y, [x], [b]), [x], [])
    >>> ops.convert_to_numpy(dx).tolist()
    [[5.0, 7.0, 9.0]]

    Source: Nøkland, "Direct Feedback Alignment Provides Learning in Deep Neural
    Networks", NIPS 2016.
    """
    if backpropagation:
        return outputs

    if not backend.keeps_backward():
        if signal is None:
            return _direct_by_products(outputs, inputs, matrices)
        warnings.warn(
            "Within `vectorized_map`, as in `TimeDistributed` with an unknown number "
            "of steps, TensorFlow sends the targets of `direct_feedback` only if the "
            "gradient is taken within it, too; otherwise the lower layers learn "
            "nothing. Expected: a call of the model on a batch, or signal='error'.",
            stacklevel=2,
        )

    count = len(inputs)

    def backward(tensors, error):
        xs, bs = tensors[1 : 1 + count], tensors[1 + count :]
        e = error if signal is None else signal(tensors[0], error)
        e = _by_example(e)
        sent = [
            ops.reshape(ops.matmul(e, ops.cast(b, e.dtype)), ops.shape(x))
            for x, b in zip(xs, bs, strict=True)
        ]
        errors = [ops.cast(dx, x.dtype) for dx, x in zip(sent, xs, strict=True)]
        return error, *errors, *[None] * count

    tensors = [outputs, *inputs, *matrices]
    return backend.with_backward(lambda y, *_: y, backward, tensors)


def _by_example(values):
    """A row for each example, which may be none: -1 would have no size then."""
    size, *shape = ops.shape(values)
    return ops.reshape(values, (size, math.prod(shape)))


def _direct_by_products(outputs, inputs, matrices):
    """Returns `outputs`, in terms whose gradients are those of `direct`.

    The products of differences are 0, and only carry the error.
    """
    carried = outputs
    for x, b in zip(inputs, matrices, strict=True):
        difference = _by_example(x - ops.stop_gradient(x))
        b = ops.transpose(ops.cast(b, outputs.dtype))
        carrier = ops.matmul(ops.cast(difference, outputs.dtype), b)
        carried += ops.reshape(carrier, ops.shape(outputs))
    return carried


def softmax_targets(logits: Any, error: Any) -> Any:
    """Returns the one-hot targets of softmax and cross-entropy, at the error's scale.

    The error of the logits is e = s (p - t), with p the softmax, t the target and s the
    weight of the example in the loss: 1 for a sum over the batch, 1 / n for a mean.
    Only the target's element of e is negative, so t is known from e, and s is the sum
    of the others over that of their p. An example whose error is 0 has s = 0.

    Args:
        logits (tensor): Float tensor of shape `(..., classes)`.
        error (tensor): e, of the same shape.

    Returns:
        s t, a tensor with the shape and dtype of `error`.

    >>> logits, target = ops.array([[1.0, 2.0, 3.0]]), ops.array([[0.0, 1.0, 0.0]])
    >>> error = 0.25 * (ops.softmax(logits) - target)
    >>> ops.convert_to_numpy(softmax_targets(logits, error)).round(3).tolist()
    [[0.0, 0.25, 0.0]]

    Source: Frenkel, Lefebvre and Bol, "Learning without feedback", 2021, for the sign
    of the error; the scale is ours.
    """
    e, target, p = _signs(error, ops.softmax, logits)
    # Elements near 0 keep their precision, the target's may be a difference near 0.
    return _scaled_targets((1 - target) * e, (1 - target) * p, target, error)


def sigmoid_targets(logits: Any, error: Any) -> Any:
    """Returns the targets, 0 or 1, of sigmoid and cross-entropy, at the error's scale.

    As `softmax_targets`, for outputs that are independent: each may have the target 1.
    The weight s is that of an example, the sum of |e| over that of |p - t|.
    """
    e, target, p = _signs(error, ops.sigmoid, logits)
    return _scaled_targets(ops.abs(e), ops.abs(p - target), target, error)


def _signs(error, activation, logits):
    e = ops.cast(error, "float32")
    return e, ops.cast(e < 0, "float32"), activation(ops.cast(logits, "float32"))


def _scaled_targets(sent, expected, target, error):
    scale = ops.divide_no_nan(
        ops.sum(sent, axis=-1, keepdims=True), ops.sum(expected, axis=-1, keepdims=True)
    )
    return ops.cast(scale * target, error.dtype)


def stopped(inputs):
    """Returns `inputs` and stops their error, except within `backpropagation`."""
    return inputs if backpropagation else ops.stop_gradient(inputs)
