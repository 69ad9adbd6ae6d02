"""The backward pass through V: the only place with `tf.custom_gradient`."""

import itertools
from collections.abc import Callable, Sequence

import tensorflow as tf

from keras_asymbp._functions import CONTROL_FLOW, in_control_flow
from keras_asymbp._switch import backpropagation

Product = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]


def asymmetric(
    product: Product,
    inputs: tf.Tensor,
    kernel: tf.Tensor,
    feedback_kernel: Callable[[], tf.Tensor],
    commit: Callable[[], None] = lambda: None,
    trained: bool = False,
) -> tf.Tensor:
    """Applies a product of inputs and kernel whose error travels back through V.

    With `Y = product(X, W)` the forward pass is the product itself (eq. 1) and
    the backward pass is

        dE/dX = the gradient in X of product(X, V), for the error dE/dY   (eq. 2)
        dE/dW = the gradient in W of product(X, W), for the error dE/dY

    so a matrix product gives `dE/dX = dE/dY V^T` and `dE/dW = X^T dE/dY`. Both are
    TensorFlow's own gradients, so every stride, padding, dilation, group, data format
    and second derivative that TensorFlow supports works. A `tf.function` drops unused
    gradients (the first layer's dE/dX) and the forward products below from its graph.

    Args:
        product: Function of two tensors that is linear in each of them, for
            example `tf.matmul`.
        inputs: X, a float tensor of any shape that `product` accepts. If it is sparse,
            its values are the inputs: dE/dX has their places only.
        kernel: W, a float tensor of the dtype of `inputs`.
        feedback_kernel: Function without arguments that returns V, a tensor with
            the shape of `kernel`. It is called in the backward pass, so that a forward
            pass doesn't pay for V; but in the forward pass if V is trained, and in
            branches and loops (`tf.cond`, `tf.while_loop`, rolled recurrent layers),
            in whose backward pass no variable can be read: there once, outside.
        commit: Function without arguments that is called after V was used, once in a
            backward pass; it may change a rule's state.
        trained: Whether V is a variable that is trained with W's gradient:
            dE/dV = dE/dW.

    Returns:
        `product(inputs, kernel)`.

    Example:

    >>> x, w, v = tf.ones((1, 2)), tf.ones((2, 3)), tf.fill((2, 3), 5.0)
    >>> with tf.GradientTape() as tape:
    ...     tape.watch(x)
    ...     y = asymmetric(tf.matmul, x, w, lambda: v)
    >>> y.numpy().tolist(), tape.gradient(y, x).numpy().tolist()
    ([[2.0, 2.0, 2.0]], [[15.0, 15.0]])

    Source: equations 1 and 2, section 2, of Liao, Leibo and Poggio, "How Important
    Is Weight Symmetry in Backpropagation?", AAAI 2016.
    """
    if isinstance(inputs, tf.SparseTensor):
        places, of_sparse = inputs, product

        def product(values, w):
            return of_sparse(places.with_values(values), w)

        inputs = inputs.values
    # TensorFlow refuses to capture a variable: pass its present value.
    inputs, kernel = tf.convert_to_tensor(inputs), tf.convert_to_tensor(kernel)
    if backpropagation:
        return product(inputs, kernel)
    early = in_control_flow()

    @tf.custom_gradient
    def forward(x, w, *early_v):
        def backward(error):
            if early_v:
                [v] = reads = early_v
            else:
                v, reads = _noting_variables(feedback_kernel)
            v = tf.cast(v, w.dtype)
            # V is computed from the present W. The update of W waits for dE/dW only, so
            # in a graph it could otherwise overtake that.
            with tf.control_dependencies(reads):
                dw = _gradient(lambda w: product(x, w), w, error)
            dx = _gradient(lambda x: product(x, v), x, error)
            if in_control_flow():
                _outside_control_flow(commit)
            else:
                # The backward pass of a decorated function has no order of its own, and
                # drops what nothing waits for.
                with tf.control_dependencies([v]):
                    _, steps = _noting_variables(commit)
                for earlier, later in itertools.pairwise(steps):
                    later._add_control_input(earlier)
                with tf.control_dependencies(steps):
                    dx, dw = tf.identity(dx), tf.identity(dw)
            dv = [tf.cast(dw, each.dtype) if trained else None for each in early_v]
            return dx, dw, *dv

        return product(x, w), backward

    if early:
        # In a branch the backward pass can use tensors of the branch only.
        inputs, kernel = tf.identity(inputs), tf.identity(kernel)
    if trained or early:
        return forward(inputs, kernel, _outside_control_flow(feedback_kernel))
    return forward(inputs, kernel)


def mirrored(product: Product, noise: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """Estimates W from the correlation of a layer's noise input with its response.

    Let Xi be noise of mean 0 and variance 1, independent between its elements, with the
    response `Y = product(Xi, W)`. Summed over the pairs of input and output that a
    weight connects, input times output is on average that weight times their number:

        E[Xi^T Y] = (1^T 1) W    for a matrix product, and

        E[C(Xi, product(Xi, W))] = C(1, 1) W

    for any product, where C(X, E) is its gradient in W at X for the error E. The
    estimate is the left side over that number.

    Args:
        product: Function of two tensors that is linear in each of them.
        noise: Xi, a float tensor of any shape that `product` accepts.
        kernel: W, a float tensor of the dtype of `noise`.

    Returns:
        The estimate, a tensor with the shape of `kernel`; 0 for a weight that the
        product doesn't use.

    >>> noise = tf.constant([[1.0, 1.0], [1.0, -1.0]])  # uncorrelated columns
    >>> mirrored(tf.matmul, noise, tf.constant([[3.0], [4.0]])).numpy().tolist()
    [[3.0], [4.0]]

    Source: Akrout et al., "Deep Learning without Weight Transport", 2019, section 3.
    """
    kernel = tf.convert_to_tensor(kernel)

    def correlation(inputs, error):
        return _gradient(lambda w: product(inputs, w), kernel, error)

    response = product(noise, kernel)
    pairs = correlation(tf.ones_like(noise), tf.ones_like(response))
    return tf.math.divide_no_nan(correlation(noise, response), pairs)


def direct(
    outputs: tf.Tensor,
    inputs: Sequence[tf.Tensor],
    matrices: Callable[[], Sequence[tf.Tensor]],
) -> tf.Tensor:
    """Returns `outputs`, whose error also goes directly to each of `inputs`.

    With e = dE/dY, flattened to one row per example, and X_l one of the inputs,

        dE/dY   = e, passed on
        dE/dX_l = e B_l, in the shape of X_l, added to any other error of X_l

    Args:
        outputs: Y, a float tensor of shape `(batch, ...)`.
        inputs: The X_l, float tensors of shape `(batch, ...)`.
        matrices: Function without arguments that returns the B_l, one for each X_l, of
            shape `(elements of Y, elements of X_l)`, counted in one example. It is
            called in the backward pass only.

    Returns:
        `outputs`.

    Example:

    >>> x, y = tf.ones((1, 3)), tf.ones((1, 2))
    >>> b = tf.constant([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    >>> with tf.GradientTape() as tape:
    ...     tape.watch(x)
    ...     error = direct(y, [x], lambda: [b])
    >>> tape.gradient(error, x).numpy().tolist()
    [[5.0, 7.0, 9.0]]

    Source: Nøkland, "Direct Feedback Alignment Provides Learning in Deep Neural
    Networks", NIPS 2016.
    """
    if backpropagation:
        return outputs

    @tf.custom_gradient
    def forward(y, *xs):
        def backward(error):
            e = tf.reshape(error, [tf.shape(error)[0], -1])
            sent = (tf.matmul(e, tf.cast(b, e.dtype)) for b in matrices())
            return error, *(
                tf.cast(tf.reshape(each, tf.shape(x)), x.dtype)
                for each, x in zip(sent, xs, strict=True)
            )

        return tf.identity(y), backward

    return forward(*map(tf.convert_to_tensor, (outputs, *inputs)))


def stopped(inputs: tf.Tensor) -> tf.Tensor:
    """Returns `inputs` and stops their error, except within `backpropagation`."""
    return inputs if backpropagation else tf.stop_gradient(inputs)


def _noting_variables(function):
    """Calls a function; in a graph also returns its operations on variables, in order.

    Waiting for these alone lets the graph drop an unused value.
    """
    if tf.executing_eagerly():
        return function(), []
    graph = tf.compat.v1.get_default_graph()
    before = len(graph.get_operations())
    value = function()
    return value, [
        operation
        for operation in graph.get_operations()[before:]
        if any(tensor.dtype == tf.resource for tensor in operation.inputs)
    ]


def _gradient(function, at, error):
    """The gradient of `function` at `at` for the error of its output."""
    # In a branch or a loop `at` may belong to the graph outside: a tape would watch
    # that, while the function uses the copy inside.
    at = tf.identity(at)
    with tf.GradientTape() as tape:
        tape.watch(at)
        output = function(at)
    return tape.gradient(output, at, error)


def _outside_control_flow(function):
    """Calls a function in the graph around all branches and loops.

    What it returns is led inside one graph at a time, as TensorFlow's gradients of
    nested branches and loops need it.
    """
    graphs = [tf.compat.v1.get_default_graph()] if in_control_flow() else []
    while graphs and isinstance(graphs[-1], CONTROL_FLOW):
        graphs.append(graphs[-1].outer_graph)
    if not graphs:
        return function()
    with graphs.pop().as_default():
        value = function()
    for graph in reversed(graphs):
        with graph.as_default():
            value = value if value is None else tf.identity(value)
    return value
