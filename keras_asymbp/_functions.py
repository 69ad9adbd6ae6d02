"""What the library must know of `tf.function`: traces, and calls that are compiled."""

import contextlib
import contextvars
import weakref

import keras
import tensorflow as tf
from tensorflow.python.ops import control_flow_v2_func_graphs as _func_graphs

# TensorFlow has no public name for them.
CONTROL_FLOW = (
    _func_graphs.CondBranchFuncGraph,
    _func_graphs.WhileBodyFuncGraph,
    _func_graphs.WhileCondFuncGraph,
)


def in_control_flow():
    """Whether a branch or the body of a loop is being traced."""
    return not tf.executing_eagerly() and isinstance(
        tf.compat.v1.get_default_graph(), CONTROL_FLOW
    )


def function_in_trace():
    """Returns the graph of the innermost function in trace, or "eager" outside of any.

    Branches and loops belong to the function around them.
    """
    if tf.executing_eagerly():
        return "eager"
    graph = tf.compat.v1.get_default_graph()
    while isinstance(graph, CONTROL_FLOW):
        graph = graph.outer_graph
    return graph


class SwitchInFunction:
    """On within `with switch():`, but off in each `tf.function` that is called there.

    Such a function may have been traced before, or may be called again later: it keeps
    the trace.
    """

    def __init__(self, name):
        self._function = contextvars.ContextVar(name, default=None)

    def __bool__(self):
        function = self._function.get()
        return function is not None and function is function_in_trace()

    @contextlib.contextmanager
    def __call__(self):
        token = self._function.set(function_in_trace())
        try:
            yield
        finally:
            self._function.reset(token)


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


class CompiledCall:
    """A call of a model for its effects, traced once for each signature of the inputs.

    Args:
        model: A `keras.Model` or layer; it is not kept alive.
        training: The argument of the call.
        switches: Switches that are on in the call.
    """

    def __init__(self, model, training, switches):
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


_calls: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()


def compiled_call(model, training=False, switches=()) -> CompiledCall:
    """Returns the model's `CompiledCall`: one, however often it is asked for.

    It is a new one after layers were added, frozen or unfrozen.
    """
    layers = [(weakref.ref(x), x.trainable) for x in model._flatten_layers()]
    known, calls = _calls.get(model, (None, None))
    if known != layers:
        calls = {}
        _calls[model] = layers, calls
    key = training, *switches
    if key not in calls:
        calls[key] = CompiledCall(model, training, switches)
    return calls[key]
