"""Copies of layers that keep the user's own functions."""

import contextlib
import functools
import inspect
import types
from collections.abc import Callable, Iterator

import keras


def copy(
    layer: keras.layers.Layer,
    read_as: type[keras.layers.Layer] | None = None,
    create: type[keras.layers.Layer] | None = None,
    **changes,
) -> keras.layers.Layer:
    """Returns a new layer of the same configuration, with the same functions.

    The user's own functions and classes need not be registered with Keras: nothing is
    loaded from a file.

    Args:
        layer: A layer, or an operation such as `x + y`.
        read_as: The class whose `get_config` describes the layer; by default its own.
        create: The class of the new layer; by default `read_as`.
        **changes: Arguments that get other values.
    """
    read_as = read_as or type(layer)
    create = create or read_as
    if create is keras.layers.Lambda:  # Keras restores no mask and not all arguments
        return keras.layers.Lambda(
            layer.function,
            output_shape=layer._output_shape,
            mask=layer.mask,
            arguments=dict(layer.arguments),
            activity_regularizer=layer.activity_regularizer,
            dtype=layer.dtype_policy,
            name=layer.name,
            trainable=layer.trainable,
        )
    with own_functions(layer) as restore:
        new = create.from_config(read_as.get_config(layer) | changes)
        restore(new)
    return new


@contextlib.contextmanager
def own_functions(layer: keras.layers.Layer) -> Iterator[Callable]:
    """Within it, the config of a layer may hold any function and any class.

    Keras describes a function by its name. It refuses lambdas, and confuses two
    functions of one name. So functions that Keras doesn't find are replaced, until the
    end, by stand-ins with unique names, which do the same.

    Args:
        layer: A layer, or an operation.

    Yields:
        A function that puts the layer's functions in the place of the stand-ins of a
        layer that was created from the config.
    """
    stand_ins: dict[int, types.FunctionType] = {}
    functions: dict[str, Callable] = {}
    classes: dict[str, set[type]] = {}

    def replace(value):
        if not callable(value) or _is_found(value):
            return value
        if id(value) not in stand_ins:
            name = f"keras_asymbp_function_{len(stand_ins)}"
            stand_ins[id(value)] = _stand_in(value, name)
            functions[name] = value
        return stand_ins[id(value)]

    def original(value):
        is_config = isinstance(value, dict)
        name = value.get("config") if is_config else getattr(value, "__name__", None)
        return functions.get(name, value)

    def note(part):
        made = type(part)
        name = keras.saving.get_registered_name(made)
        known = made.__module__.startswith("keras.")
        if not known and keras.saving.get_registered_object(name) is not made:
            classes.setdefault(name, set()).add(made)

    def restore(new):
        if functions:
            _exchange(new, original)

    try:
        _exchange(layer, replace, note)
        names: dict = {made.__name__: made for made in stand_ins.values()}
        # Keras refuses a name of several classes, and says to register them.
        names |= {n: made for n, (made, *more) in classes.items() if not more}
        with keras.saving.custom_object_scope(names):
            yield restore
    finally:
        restore(layer)


def _exchange(value, change, visit=None, seen=None):
    """Replaces the functions that an object holds, at any depth, and returns it.

    Args:
        value: An object with a config, a variable, a container, a function, or
            anything else, which is left alone.
        change: Function of a function, or of the config of one that a class of the
            user's left as it was, which returns the function to put there.
        visit: Function that is called with each object that has a config.
        seen: The objects found so far, by id.
    """
    seen = {} if seen is None else seen
    if type(value) is tuple:
        changed = tuple(_exchange(each, change, visit, seen) for each in value)
        same = all(map(lambda a, b: a is b, changed, value))
        return value if same else changed
    if id(value) in seen or isinstance(value, type):
        return value
    if isinstance(value, dict) and value.get("class_name") == "function":
        return change(value)
    if isinstance(value, dict):
        held, items, put = value, list(value.items()), dict.__setitem__
    elif isinstance(value, list):
        held, items, put = value, list(enumerate(value)), list.__setitem__
    elif isinstance(value, keras.Variable) or hasattr(value, "get_config"):
        if visit and not isinstance(value, keras.Variable):
            visit(value)
        held, put = getattr(value, "__dict__", {}), dict.__setitem__
        # Keras wraps methods in functions of the same name.
        items = [e for e in held.items() if not hasattr(keras.layers.Layer, e[0])]
    else:
        return change(value) if callable(value) else value
    seen[id(value)] = value
    for key, each in items:
        new = _exchange(each, change, visit, seen)
        if new is not each:
            put(held, key, new)
    return value


def _is_found(function):
    """Whether Keras finds a function under the name that it writes in a config."""
    if not isinstance(function, types.FunctionType) or function.__name__ == "<lambda>":
        return False
    saving = keras.saving
    try:
        config = saving.serialize_keras_object(function)
        return saving.deserialize_keras_object(config) is function
    except (TypeError, ValueError):
        return False


def _stand_in(function, name):
    """Returns a function of the given name that does what another does."""

    def stand_in(*args, **kwargs):
        return function(*args, **kwargs)

    functools.update_wrapper(stand_in, function)
    stand_in.__name__, stand_in.__module__ = name, __name__
    with contextlib.suppress(TypeError, ValueError):  # some have no signature
        stand_in.__signature__ = inspect.signature(function)
    return stand_in
