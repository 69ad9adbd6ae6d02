"""The library on TensorFlow: gradients, random bits, and what is traced."""

import contextlib
import contextvars
import dataclasses
import functools
import itertools
import math
import weakref
from collections.abc import Callable

import keras
import tensorflow as tf
from keras.src.backend.common.stateless_scope import get_stateless_scope
from keras.src.backend.common.variables import AutocastScope
from tensorflow.python.eager import record
from tensorflow.python.framework.ops import gradient_registry
from tensorflow.python.ops import control_flow_v2_func_graphs as _func_graphs

# TensorFlow has no public name for them.
_CONTROL_FLOW = (
    _func_graphs.CondBranchFuncGraph,
    _func_graphs.WhileBodyFuncGraph,
    _func_graphs.WhileCondFuncGraph,
)


def vjp(function, at, error):
    """Returns the gradient of a function at a tensor, for the error of its output."""
    # In a branch or a loop `at` may belong to the graph outside: a tape would watch
    # that, while the function uses the copy inside.
    at = tf.identity(at)
    with tf.GradientTape() as tape:
        tape.watch(at)
        output = function(at)
    gradient = tape.gradient(output, at, error)
    if gradient is None:  # TensorFlow has no error for it here
        raise NotImplementedError(
            "A layer with a feedback kernel has a backward pass, and no derivative "
            "forward. Expected: tf.GradientTape. Received: tf.autodiff."
            "ForwardAccumulator"
        )
    return gradient


def gradients(function, inputs, variables, error_of=None):
    """Calls a function, and returns its gradients.

    Args:
        function: Function of tensors, which may read variables.
        inputs: The tensors.
        variables: Keras variables.
        error_of: Function of the output that returns its error; by default 1.

    Returns:
        The output, and a list of the gradients in the inputs and the variables; None
        for one that the output doesn't depend on.
    """
    at = [*inputs, *(variable.value for variable in variables)]
    with tf.GradientTape() as tape:
        tape.watch(at)
        output = function(*inputs)
    error = None if error_of is None else error_of(output)
    return output, tape.gradient(output, at, error)


def with_backward(forward, backward, tensors):
    """Returns `forward(*tensors)`, a tensor, with a backward pass of its own.

    Args:
        forward: Function of tensors.
        backward: Function of the list of tensors and the error of the output; it
            returns the error of each tensor, None for one that gets none.
        tensors: The tensors.
    """

    def function(*xs):
        return tf.identity(forward(*xs)), lambda error: backward(xs, error)

    return _custom_gradient(function, map(tf.convert_to_tensor, tensors))


def _custom_gradient(function, tensors):
    """Returns the tensor of a function that `tf.custom_gradient` would decorate.

    TensorFlow registers the backward pass of each trace by a name, and keeps it until
    the process ends, with the graph that it refers to. Here the graph keeps it, and the
    registry has a weak reference.
    """
    output = tf.custom_gradient(function)(*tensors)
    if tf.executing_eagerly():
        return output
    name = output.op.get_attr("_gradient_op_type").decode()
    registry = gradient_registry._registry
    backward = registry[name]["type"]
    _keep(_function_in_trace(), backward)
    reference = weakref.ref(backward, lambda _: registry.pop(name, None))
    registry[name]["type"] = lambda *arguments: reference()(*arguments)
    return output


def _keep(owner, thing):
    """Keeps a thing as long as its owner lives."""
    owner._kept_by_keras_asymbp = getattr(owner, "_kept_by_keras_asymbp", [])
    owner._kept_by_keras_asymbp.append(thing)


@dataclasses.dataclass(eq=False)
class _Calls:
    """What a backward pass calls, which refers to its layer."""

    product: Callable
    feedback_kernel: Callable
    commit: Callable

    def reached(self, kernel):
        """Returns a function that returns this object while the kernel lives.

        TensorFlow never frees some graphs, such as that of a compiled step, and a graph
        keeps its backward passes. They must not keep the layer.
        """
        if tf.executing_eagerly() or not isinstance(kernel, keras.Variable):
            return lambda: self
        _keep(kernel, self)
        return weakref.ref(self)


def keeps_backward():
    """Whether a function of `with_backward` keeps its backward pass where it is called.

    Not in `tf.vectorized_map`.
    """
    return not _in_vectorized_map()


def with_feedback(
    product, inputs, kernel, feedback_kernel, of_inputs, of_kernel, commit, trained
):
    """Returns `product(inputs, kernel)`, whose error travels back through V.

    V is computed in the backward pass, so that a forward pass doesn't pay for it; but
    in the forward pass if it is trained, where variables are for the forward pass only
    (see `_only_forward`), and in branches and loops (`tf.cond`, `tf.while_loop`, rolled
    recurrent layers), in whose backward pass no variable can be read: there once,
    outside.

    Args:
        product: Function of two tensors that is linear in each of them.
        inputs: X, a float tensor, dense or sparse. The values of a sparse one are the
            inputs: dE/dX has their places only.
        kernel: W, a tensor or variable.
        feedback_kernel: Function without arguments that returns V.
        of_inputs: Function of product, X, V and dE/dY that returns dE/dX.
        of_kernel: Function of product, X, W and dE/dY that returns dE/dW.
        commit: Function without arguments that is called after V was used; where
            variables are for the forward pass only, after V was computed.
        trained: Whether dE/dV is dE/dW.
    """
    if isinstance(inputs, tf.SparseTensor):
        places, of_sparse = inputs, product

        def product(values, w):
            return of_sparse(places.with_values(values), w)

        inputs = inputs.values
    # TensorFlow refuses to capture a variable: pass its present value.
    variable, kernel = kernel, tf.convert_to_tensor(kernel)
    inputs = tf.convert_to_tensor(inputs)
    if inputs.dtype.is_integer or inputs.dtype.is_bool:
        # As the product does, but here a tape has a gradient for them.
        inputs = tf.cast(inputs, kernel.dtype)
    only_forward = _only_forward(variable)
    early = only_forward or _in_control_flow()
    reach = _Calls(product, feedback_kernel, commit).reached(variable)

    def forward(x, w, *early_v):
        def backward(error):
            calls = reach()
            if early_v:
                [v] = reads = early_v
            else:
                v, reads = _noting_variables(calls.feedback_kernel)
            v = tf.cast(v, w.dtype)
            # V is computed from the present W. The update of W waits for dE/dW only, so
            # in a graph it could otherwise overtake that.
            with tf.control_dependencies(reads):
                dw = of_kernel(calls.product, x, w, error)
            dx = of_inputs(calls.product, x, v, error)
            # The rows of `tape.jacobian` are a vectorized map, which can't write.
            commits = not only_forward and not _in_vectorized_map()
            if commits and _in_control_flow():
                _outside_control_flow(calls.commit)
            elif commits:
                # The backward pass of a decorated function has no order of its own, and
                # drops what nothing waits for.
                with tf.control_dependencies([v]):
                    _, steps = _noting_variables(calls.commit)
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
    if only_forward:
        # Rules read the stored W; in a layer's call Keras rounds it to half precision.
        with AutocastScope(None):
            v = feedback_kernel()
            commit()
        if _in_vectorized_map():
            return _without_custom_gradient(product, inputs, kernel, v, trained)
        tensors = inputs, kernel, v
    elif trained or early:
        tensors = inputs, kernel, _outside_control_flow(feedback_kernel)
    else:
        tensors = inputs, kernel
    return _custom_gradient(forward, tensors)


def _without_custom_gradient(product, inputs, kernel, feedback_kernel, trained):
    """Returns `product(inputs, kernel)`, in terms whose gradients are those of V.

    The product is linear: the terms of differences are 0, and only carry the error.
    """
    v, fixed = tf.cast(feedback_kernel, kernel.dtype), tf.stop_gradient(inputs)
    outputs = product(fixed, kernel)
    outputs += product(inputs - fixed, tf.stop_gradient(v))
    if trained:
        outputs += product(fixed, v - tf.stop_gradient(v))
    return outputs


def may_commit(layer, training):
    """Whether a rule of a layer may change its state in this call of the layer.

    It does so in the backward pass, which is a gradient; where variables are for the
    forward pass only, in a call for training. Where nothing says what the call is for,
    as in a layer's own `stateless_call`, it does so if W is differentiated.

    Args:
        layer: The layer.
        training: The `training` of the call; None if nothing says it.
    """
    if not any(map(_only_forward, layer.weights)):
        return True
    if training is None:
        weights = map(tf.convert_to_tensor, layer.trainable_variables)
        # TensorFlow has no public name for it.
        return record.should_record_backprop(list(weights))
    return bool(training)


def outside_loops(variables):
    """Returns a context in which variables can be changed from within a loop.

    On TensorFlow they always can.
    """
    return contextlib.nullcontext()


def around_train_step(model, train_step, trusting, before, after):
    """Returns a `train_step` of a model with something before and after it.

    Args:
        model: A `keras.Model`.
        train_step: Its `train_step`.
        trusting: Context manager for the step itself.
        before: Function without arguments, called before the step.
        after: Function of what `before` returned, called after the step.
    """

    @functools.wraps(train_step)
    def step(*args, **kwargs):
        seen = before()
        with trusting():
            logs = train_step(*args, **kwargs)
        after(seen)
        return logs

    return step


def random_bits(shape, seed, number):
    """Returns uniform bits, uint32: those of Philox4x32-10, the same everywhere.

    Args:
        shape: Shape of the result.
        seed: Integer or integer tensor in [0, 2^31).
        number: Integer or integer tensor in [0, 2^32); another one gives other bits.
    """
    return tf.random.stateless_uniform(
        shape,
        seed=_philox_seed(seed, number),
        minval=None,
        maxval=None,
        dtype=tf.uint32,
        alg="philox",
    )


def random_halves(shape, seed, number):
    """Returns uniform bits, uint16: the halves of Philox's words, the lower first.

    They cost half the time of as many words.

    Args:
        shape: Shape of the result, of integers.
        seed: See `random_bits`.
        number: See `random_bits`.
    """
    size = math.prod(shape)
    words = random_bits([-(-size // 2)], seed, number)
    halves = tf.reshape(tf.bitcast(words, tf.uint16), [-1])
    return tf.reshape(halves[:size], shape)


def eagerly():
    """Returns a context in which what depends on no tensor outside has a value."""
    return tf.init_scope()


# Keras's initializers use the same generator with seeds below 2^32. A layer's
# initializer and its rule may have the same seed, and M must not repeat W's numbers.
_BEYOND_KERAS = 2**32


def _philox_seed(seed, number):
    return tf.stack(
        [tf.cast(seed, tf.int64) + _BEYOND_KERAS, tf.cast(number, tf.int64)]
    )


# Number of elements that are hashed at a time.
_PART = 2**17

_WORD = 2**32 - 1


def fingerprint(values):
    """See `random.fingerprint`. TensorFlow has no 32-bit arithmetic for all devices."""
    values = tf.convert_to_tensor(values)
    bits = {2: tf.uint16, 4: tf.uint32, 8: tf.uint32}[values.dtype.size]
    words = tf.reshape(tf.bitcast(values, bits), [-1])
    digest = tf.constant(0, tf.int64)
    # In parts: an int64 copy of all of W would be several times as large as W.
    for start in range(0, words.shape[0], _PART):
        part = tf.cast(words[start : start + _PART], tf.int64)
        part = tf.bitwise.bitwise_xor(part, tf.bitwise.right_shift(part, 16))
        positions = tf.range(start, start + part.shape[0], dtype=tf.int64)
        factors = tf.bitwise.bitwise_and((2 * positions + 1) * 0x9E3779B1, _WORD)
        digest += tf.reduce_sum(part * factors)
    digest = tf.bitwise.bitwise_and(tf.bitwise.right_shift(digest, 1), 2**31 - 1)
    return tf.cast(tf.maximum(digest, 1), tf.int32)


def _only_forward(kernel):
    """Whether a layer's variables can be read and written in the forward pass only.

    A `StatelessScope` gives variables other values until the pass ends, and returns
    what it changes; that in which Keras infers shapes gives none, and a function traced
    there is used outside. `tf.vectorized_map` can't write in the backward pass.
    """
    scope = get_stateless_scope()
    given = scope is not None and scope.get_current_value(kernel) is not None
    return given or _in_vectorized_map()


def _in_vectorized_map():
    """Whether the body of `tf.vectorized_map` is being traced, such as a step's in a
    `TimeDistributed` with any number of steps.

    It silently drops custom gradients. Only the name of its scope tells.
    """
    graph = None if tf.executing_eagerly() else tf.compat.v1.get_default_graph()
    while graph is not None:
        scopes = graph.get_name_scope().split("/")
        if any(scope.startswith("loop_body") for scope in scopes):
            return True
        graph = getattr(graph, "outer_graph", None)
    return False


def _in_control_flow():
    """Whether a branch or the body of a loop is being traced."""
    return not tf.executing_eagerly() and isinstance(
        tf.compat.v1.get_default_graph(), _CONTROL_FLOW
    )


def _function_in_trace():
    """Returns the graph of the innermost function in trace, or "eager" outside of any.

    Branches and loops belong to the function around them.
    """
    if tf.executing_eagerly():
        return "eager"
    graph = tf.compat.v1.get_default_graph()
    while isinstance(graph, _CONTROL_FLOW):
        graph = graph.outer_graph
    return graph


class Switch:
    """On within `with switch():` in this thread, off elsewhere.

    A `tf.function` keeps the value that it was traced with.

    >>> quiet = Switch("quiet")
    >>> with quiet():
    ...     print(bool(quiet))
    True
    >>> bool(quiet)
    False
    """

    def __init__(self, name):
        self._is_on = contextvars.ContextVar(name, default=False)

    def __bool__(self):
        return self._is_on.get()

    @contextlib.contextmanager
    def __call__(self):
        token = self._is_on.set(True)
        try:
            yield
        finally:
            self._is_on.reset(token)


class SwitchInFunction:
    """On within `with switch():`, but off in each `tf.function` that is called there.

    Such a function may have been traced before, or may be called again later: it keeps
    the trace.
    """

    def __init__(self, name):
        self._function = contextvars.ContextVar(name, default=None)

    def __bool__(self):
        function = self._function.get()
        return function is not None and function is _function_in_trace()

    @contextlib.contextmanager
    def __call__(self):
        token = self._function.set(_function_in_trace())
        try:
            yield
        finally:
            self._function.reset(token)


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


def _outside_control_flow(function):
    """Calls a function in the graph around all branches and loops.

    What it returns is led inside one graph at a time, as TensorFlow's gradients of
    nested branches and loops need it.
    """
    graphs = [tf.compat.v1.get_default_graph()] if _in_control_flow() else []
    while graphs and isinstance(graphs[-1], _CONTROL_FLOW):
        graphs.append(graphs[-1].outer_graph)
    if not graphs:
        return function()
    with graphs.pop().as_default():
        value = function()
    for graph in reversed(graphs):
        with graph.as_default():
            value = value if value is None else tf.identity(value)
    return value


@contextlib.contextmanager
def inlined():
    """Within it a `tf.function` is ordinary Python code of its caller.

    So a switch reaches the functions that a user has decorated, also those that were
    traced before, and no trace keeps the switch.
    """
    before = tf.config.functions_run_eagerly()
    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(before)


def uncompiled(everything=False):
    """Returns a context in which values inside of a user's functions can be read.

    Args:
        everything: Whether all compiled functions and loops run as Python. If not, JAX
            has values outside of them only, and runs a function's Python again, to find
            that out. TensorFlow has values everywhere.
    """
    return inlined()


def has_value(tensor):
    """Whether a tensor has a value now, not only once a function runs."""
    return not tf.is_symbolic_tensor(tensor)


class CompiledCall:
    """A call of a model for its effects, traced once for each signature of the inputs.

    Args:
        model: A `keras.Model` or layer; it is not kept alive.
        training: The argument of the call.
        switches: Switches that are on in the call.
        variables: What the call may change; TensorFlow finds that by itself.
    """

    def __init__(self, model, training, switches, variables):
        self._model = weakref.ref(model)
        self._training = training
        self._switches = switches
        self._function = tf.function(self._call)
        self._compiles = True

    def prepare(self, inputs):
        """Returns a function without arguments that runs the call on `inputs`."""
        inputs = keras.tree.map_structure(keras.ops.convert_to_tensor, inputs)
        if self._compiles:
            try:
                with self._reaching():
                    function = self._function.get_concrete_function(inputs)
                return lambda: function(inputs)
            except tf.errors.OperatorNotAllowedInGraphError:
                # Only the user's `tf.function` can convert this code to a graph.
                self._compiles = False

        def run():
            with self._reaching():
                self._call(inputs)

        return run

    def _reaching(self):
        return inlined() if self._switches else contextlib.nullcontext()

    def _call(self, inputs):
        model = self._model()
        strategy = getattr(model, "distribute_strategy", tf.distribute.get_strategy())
        strategy.run(self._call_in_replica, (inputs,))

    def _call_in_replica(self, inputs):
        with contextlib.ExitStack() as stack:
            for switch in self._switches:
                stack.enter_context(switch())
            self._model()(inputs, training=self._training)
