"""The library on JAX: the functions of `tensorflow.py`, which describes them.

A compiled step of JAX can't write state while the error travels, nor may the backward
pass read variables. So V is computed in the forward pass, and what rules keep of it is
written there, in calls for training only.
"""

import contextlib
import functools
import math
import weakref

import jax
import keras
import numpy as np
from jax import lax
from jax import numpy as jnp
from jax.experimental import sparse
from jax.extend import core
from jax.interpreters import ad
from keras.src.backend.common.stateless_scope import get_stateless_scope
from keras.src.backend.common.variables import AutocastScope


def vjp(function, at, error):
    """Returns the gradient of a function at a tensor, for the error of its output."""
    [gradient] = jax.vjp(function, at)[1](error)
    return gradient


def gradients(function, inputs, variables, error_of=None):
    """Calls a function, and returns its gradients; it changes no state."""

    def of_values(inputs, values):
        with _scope(variables, values):
            return function(*inputs)

    values = [variable.value for variable in variables]
    output, pull_back = jax.vjp(of_values, list(inputs), values)
    error = jnp.ones_like(output) if error_of is None else error_of(output)
    of_inputs, of_variables = pull_back(error)
    return output, [*of_inputs, *of_variables]


def with_backward(forward, backward, tensors):
    """Returns `forward(*tensors)`, a tensor, with a backward pass of its own."""

    @jax.custom_vjp
    def function(*xs):
        return forward(*xs)

    # Not `forward`: a second derivative goes through this output, too.
    function.defvjp(lambda *xs: (function(*xs), xs), backward)
    return function(*map(keras.ops.convert_to_tensor, tensors))


def keeps_backward():
    """See `tensorflow.py`. On JAX it always does."""
    return True


def with_feedback(
    product, inputs, kernel, feedback_kernel, of_inputs, of_kernel, commit, trained
):
    """Returns `product(inputs, kernel)`, whose error travels back through V."""
    if isinstance(inputs, sparse.BCOO):
        places, of_sparse = inputs, product

        def product(values, w):
            matrix = sparse.BCOO((values, places.indices), shape=places.shape)
            return of_sparse(matrix, w)

        inputs = inputs.data
    inputs, kernel = map(keras.ops.convert_to_tensor, (inputs, kernel))
    # Rules read the stored W; in a layer's call Keras rounds it to half precision.
    with AutocastScope(None):
        v = keras.ops.convert_to_tensor(feedback_kernel())
    v = keras.ops.cast(v, kernel.dtype)

    def backward(tensors, error):
        x, w, v = tensors
        dw = of_kernel(product, x, w, error)
        return of_inputs(product, x, v, error), dw, dw if trained else None

    outputs = with_backward(
        lambda x, w, _: product(x, w), backward, (inputs, kernel, v)
    )
    with AutocastScope(None):
        commit()
    return outputs


def may_commit(layer, training):
    """Whether a rule of a layer may change its state in this call of the layer.

    It does so in a call for training. Where nothing says what the call is for, as in a
    model whose `call` has no argument `training`, it does so if W is differentiated.
    Nor does a tensor say it, which `training` is within a model under `RematScope`.
    """
    if training is None or _is_traced(training):
        return any(map(_is_differentiated, layer.trainable_variables))
    return bool(training)


def outside_loops(variables):
    """Returns a context in which variables can be changed from within a loop.

    A loop, branch or `jax.checkpoint` is a trace of its own, whose tensors end with it.
    So it is left for the innermost trace that a variable's value is from.
    """
    traces = [value._trace for value in map(_value, variables) if _is_traced(value)]
    if not traces:
        return jax.ensure_compile_time_eval()
    return core.set_current_trace(max(traces, key=_depth))


def _value(variable):
    """The variable's value, without a cast, which would be part of this trace."""
    scope = get_stateless_scope()
    value = None if scope is None else scope.get_current_value(variable)
    return variable._value if value is None else value


def _is_differentiated(variable):
    # JAX has a public name for one of its tracers for derivatives only.
    return type(_value(variable)).__module__ == ad.JVPTracer.__module__


def _is_traced(value):
    return isinstance(value, jax.core.Tracer)


def _depth(trace):
    """Number of traces around a trace."""
    outer = getattr(trace, "parent_trace", None)
    return 0 if outer is None else 1 + _depth(outer)


def around_train_step(model, train_step, trusting, before, after):
    """Returns a `train_step` of a model with something before and after it."""

    @functools.wraps(train_step)
    def step(state, data):
        variables = (
            model.trainable_variables,
            model.non_trainable_variables,
            model.optimizer.variables,
            model.metrics_variables,
        )
        flat = [variable for group in variables for variable in group]
        with _scope(flat, [value for group in state for value in group]):
            seen = before()
        with trusting():
            logs, state = train_step(state, data)
        with _scope(flat, [value for group in state for value in group]) as scope:
            after(seen)
        return logs, tuple(
            [scope.get_current_value(variable) for variable in group]
            for group in variables
        )

    return step


class _Scope(keras.StatelessScope):
    """Keras's, within which regularizers find the values of all other variables."""

    def get_current_value(self, variable):
        value = super().get_current_value(variable)
        return variable._value if value is None else value


def _scope(variables, values):
    mapping = list(zip(variables, values, strict=True))
    return _Scope(state_mapping=mapping, collect_losses=True)


# The key of TensorFlow's generator for a seed, and Philox's own constants.
_SCRAMBLE = np.uint32(0x3EC8F720), np.uint32(0x02461E29)
_FACTORS = np.uint32(0xD2511F53), np.uint32(0xCD9E8D57)
_STEPS = np.uint32(0x9E3779B9), np.uint32(0xBB67AE85)

# The upper word of seeds: see tensorflow.py.
_BEYOND_KERAS = 1


def random_bits(shape, seed, number):
    """Returns uniform bits, uint32: those of Philox4x32-10, the same everywhere."""
    return _words(_places(shape), seed, number).reshape(shape)


def random_halves(shape, seed, number):
    """Returns uniform bits, uint16: the halves of Philox's words, the lower first."""
    place = _places(shape)
    bits = _words(place >> 1, seed, number) >> (place & 1) * 16
    return bits.astype("uint16").reshape(shape)


def _places(shape):
    return lax.iota("uint32", math.prod(shape))


def _words(place, seed, number):
    """The words of Philox at places of its sequence."""
    words = (seed, _BEYOND_KERAS, number, 0)
    seed = [jnp.asarray(word).astype("uint32") for word in words]
    *key, low, high = _philox(seed, _SCRAMBLE)
    # Each element computes its block of four words: XLA makes one loop of it.
    block = _philox([place >> 2, jnp.zeros_like(place), low, high], key)
    word = place & 3
    return jnp.select([word == 0, word == 1, word == 2], block[:3], block[3])


def _philox(counter, key):
    """Four words of Philox4x32-10. Source: Salmon et al., SC 2011."""
    c0, c1, c2, c3 = jnp.broadcast_arrays(*counter)
    k0, k1 = map(jnp.asarray, key)
    for _ in range(10):
        high0, low0 = _upper_word(c0, _FACTORS[0]), c0 * _FACTORS[0]
        high2, low2 = _upper_word(c2, _FACTORS[1]), c2 * _FACTORS[1]
        c0, c1, c2, c3 = high2 ^ c1 ^ k0, low2, high0 ^ c3 ^ k1, low0
        k0, k1 = k0 + _STEPS[0], k1 + _STEPS[1]
    return c0, c1, c2, c3


def _upper_word(word, factor):
    """The upper word of a product of words, of products of their halves.

    XLA can't compile `lax.mulhi` for several devices.
    """
    low, high = word & 0xFFFF, word >> 16
    factor_low, factor_high = factor & 0xFFFF, factor >> 16
    middle = high * factor_low + (low * factor_low >> 16)
    other = low * factor_high + (middle & 0xFFFF)
    return high * factor_high + (middle >> 16) + (other >> 16)


def eagerly():
    """Returns a context in which what depends on no tensor outside has a value."""
    return jax.ensure_compile_time_eval()


def fingerprint(values):
    """See `random.fingerprint`."""
    values = keras.ops.convert_to_tensor(values)
    size = min(values.dtype.itemsize, 4)
    words = lax.bitcast_convert_type(values, f"uint{8 * size}").astype("uint32").ravel()
    words = words ^ (words >> 16)
    factors = (2 * lax.iota("uint32", words.size) + 1) * np.uint32(0x9E3779B1)
    digest = jnp.sum(words * factors, dtype="uint32")
    return jnp.maximum(digest >> 1, 1).astype("int32")


class Switch:
    """On within `with switch():` in this thread, off elsewhere.

    JAX keeps the traces that it made within it apart from all others.
    """

    def __init__(self, name):
        self._is_on = jax.make_user_context(default_value=False)

    def __bool__(self):
        return self._is_on.value

    def __call__(self):
        return self._is_on(True)


SwitchInFunction = Switch


def inlined():
    """Does nothing: a switch reaches functions under `jax.jit` by itself."""
    return contextlib.nullcontext()


_uncompiled = Switch("uncompiled")


def uncompiled(everything=False):
    """See `tensorflow.py`. Everything is slow: Keras's own functions are compiled, too.

    Otherwise functions are traced apart from other times. An exception leaves no trace.
    """
    return jax.disable_jit() if everything else _uncompiled()


def has_value(tensor):
    """See `tensorflow.py`."""
    return not _is_traced(tensor)


class CompiledCall:
    """A call of a model for its effects, traced once for each signature of the inputs.

    Args:
        model: A `keras.Model` or layer; it is not kept alive.
        training: The argument of the call.
        switches: Switches that are on in the call.
        variables: What the call may change.
    """

    def __init__(self, model, training, switches, variables):
        self._model = weakref.ref(model)
        self._training = training
        self._switches = switches
        self._variables = [weakref.ref(variable) for variable in variables]
        self._function = jax.jit(self._call)

    def prepare(self, inputs):
        """Returns a function without arguments that runs the call on `inputs`."""
        inputs = keras.tree.map_structure(keras.ops.convert_to_tensor, inputs)

        def run():
            variables = [reference() for reference in self._variables]
            values = self._function(inputs, [each.value for each in variables])
            for variable, value in zip(variables, values, strict=True):
                variable.assign(value)

        return run

    def _call(self, inputs, values):
        variables = [reference() for reference in self._variables]
        with contextlib.ExitStack() as stack:
            scope = stack.enter_context(_scope(variables, values))
            for switch in self._switches:
                stack.enter_context(switch())
            self._model()(inputs, training=self._training)
        return [scope.get_current_value(variable) for variable in variables]
