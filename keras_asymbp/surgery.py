"""Taking a Keras model apart: what conversion and direct feedback have in common."""

import contextlib
import functools
import tempfile
from collections.abc import Callable, Iterable, Iterator

import keras
import numpy as np

from keras_asymbp._state import memory, of_rules, without
from keras_asymbp.error_routes import DirectFeedback
from keras_asymbp.feedbacks import Feedback
from keras_asymbp.layers import LAYERS, AsymmetricLayer

ASYMMETRIC: dict[type, type] = {layer.twin(): layer for layer in LAYERS.values()}
"""The asymmetric form of each stock Keras layer that has one."""

Layers = Iterable[tuple[keras.layers.Layer, keras.layers.Layer]]


def check(model: keras.Model, function: str) -> None:
    """Checks that a model can be taken apart.

    Args:
        model: A Keras model.
        function: Name of the function that the user called, for the message.

    Raises:
        ValueError: If it is no model, or a subclassed one or contains one, isn't built,
            has direct feedback, or has two layers with the same layer inside.
    """
    if not isinstance(model, keras.layers.Layer):
        raise ValueError(
            f"`{function}` takes a Keras model, functional or Sequential. Received: "
            f"{type(model).__name__}"
        )
    takes = _has_layers_to_copy(model)
    own_call = [
        each
        for each in model._flatten_layers()
        if _has_layers_to_copy(each)
        and type(each).call not in (keras.Sequential.call, _functional().call)
    ]
    if not takes or own_call:
        wrong = own_call[0] if takes else model
        raise ValueError(
            f"`{function}` takes a functional or Sequential model: a subclassed one "
            "creates its layers in its own code; use asymmetric layers there. "
            f"Received: {kind(wrong)} '{wrong.name}'"
        )
    if not model.built:
        raise ValueError(
            f"`{function}` takes a built model: give '{model.name}' an Input, or call "
            "it once."
        )
    if any(isinstance(each, DirectFeedback) for each in model._flatten_layers()):
        raise ValueError(
            f"Model '{model.name}' has direct feedback, which uses no layer's V: give "
            f"`{function}` the model from which it was created."
        )
    holders: dict[int, keras.layers.Layer] = {}
    for layer in _copied(model):
        for part in parts(layer):
            if (other := holders.setdefault(id(part), layer)) is not layer:
                raise ValueError(
                    f"`{function}` copies each layer of a model with the layers inside "
                    "it, which two copies can't share. Expected: a layer in one place. "
                    f"Received: '{part.name}' in both '{other.name}' and "
                    f"'{layer.name}'"
                )


def clone(
    model: keras.Model,
    convert: Callable[[keras.layers.Layer], keras.layers.Layer],
    function: str,
) -> keras.Model:
    """Returns a model of converted layers with the names and variables of another.

    Args:
        model: A built functional or Sequential model, nested ones included.
        convert: Function of a layer that returns a new, unbuilt layer with the same
            variables; it may have those of rules in addition.
        function: Name of the function that the user called, for messages.

    Returns:
        The new model, built and not compiled.

    Raises:
        ValueError: If the model can't be taken apart; see `check`.
    """
    check(model, function)
    copies: dict = {}
    pairs = []

    def copy(layer):
        if id(layer) in copies:
            return copies[id(layer)]
        if _has_layers_to_copy(layer):
            new = keras.models.clone_model(layer, new_inputs(layer), copy)
        else:
            new = convert(layer)
            if isinstance(layer, keras.layers.Layer):  # no operation, such as `x + y`
                pairs.append((new, layer))
        copies[id(layer)] = new
        return new

    with not_compiled(model):
        twin = copy(model)
    if not twin.built:  # a Sequential without an Input
        twin.build(model.input_shape)
    models = [
        [e for e in each._flatten_layers() if isinstance(e, keras.Model)]
        for each in (twin, model)
    ]
    carry_over(pairs, models=zip(*models, strict=True))
    return twin


def carry_over(pairs: Layers, models: Layers = ()) -> None:
    """Gives new layers the names, `trainable` and state of old ones.

    Args:
        pairs: Each new layer with its old one, both built.
        models: Each new model with its old one, whose names and `trainable` count.
    """
    pairs = list(pairs)
    # Models first: `trainable` sets that of everything inside.
    for target, source in [*models, *pairs]:
        for inner, original in zip(parts(target), parts(source), strict=True):
            inner.trainable = original.trainable
            inner.name = original.name  # which `clone_model` loses for inputs
            if has_lora(original) and not has_lora(inner):
                # That of a projection of attention is in no config.
                inner.enable_lora(original.lora_rank, lora_alpha=original.lora_alpha)
    for target, source in pairs:
        for inner, original in zip(parts(target), parts(source), strict=True):
            load(inner, original)
        # Keras saves no random seeds, and merges LoRA's kernels.
        for variable, value in zip(state(target), state(source), strict=True):
            _copy_value(variable, value)
            variable.trainable = value.trainable


def load(target: keras.layers.Layer, source: keras.layers.Layer) -> None:
    """Gives a layer the state of another, without that of the layers inside it.

    Args:
        target: A built layer.
        source: A layer of the same configuration; it may have feedback rules that
            `target` lacks, or the reverse.
    """
    if _has_vocabulary(source):
        # Keras writes a line for each word, which may contain line breaks itself.
        if len(source.get_vocabulary(include_special_tokens=False)):
            weighted = source.output_mode == "tf_idf"
            target.set_vocabulary(
                source.get_vocabulary(),
                source.idf_weights_const.numpy() if weighted else None,
            )
    elif not isinstance(source, keras.layers.TextVectorization):  # its lookup has it
        saved: dict = {}
        source.save_own_variables(saved)
        target.load_own_variables(
            {k: np.array(keras.ops.convert_to_numpy(v)) for k, v in saved.items()}
        )
        if hasattr(source, "save_assets") and hasattr(target, "load_assets"):
            with tempfile.TemporaryDirectory() as folder:
                source.save_assets(folder)
                target.load_assets(folder)
    for new, old in zip(memory(target), memory(source), strict=True):
        # Some metrics create their variables at the first update.
        for variable, value in zip(new, old, strict=False):
            _copy_value(variable, value)


def _copy_value(target, source):
    # Two variables must not share an array: JAX's training step reuses its memory.
    target.assign(keras.ops.copy(source))


@contextlib.contextmanager
def not_compiled(model: keras.Model) -> Iterator[None]:
    """Within it the model, and those inside it, count as not compiled.

    `clone_model` compiles the copies of compiled models, for which it needs the
    configuration of the loss: a lambda has none.
    """
    compiled = [each for each in model._flatten_layers() if _is_compiled(each)]
    try:
        for each in compiled:
            each.compiled = False
        yield
    finally:
        for each in compiled:
            each.compiled = True


def parts(layer: keras.layers.Layer) -> list[keras.layers.Layer]:
    """Returns a layer and those inside it, without rules, in its twin's order."""
    of_rules = {
        id(part)
        for rule in layer._flatten_layers()
        if isinstance(rule, Feedback)
        for part in rule._flatten_layers()
    }
    return [part for part in layer._flatten_layers() if id(part) not in of_rules]


def state(layer: keras.layers.Layer) -> list[keras.Variable]:
    """Returns a layer's variables, random seeds included, without those of rules."""
    return without(layer.variables, of_rules(layer))


def twin_of(layer: keras.layers.Layer) -> type | None:
    """Returns the class in `ASYMMETRIC` that a layer is or extends, None if none.

    >>> twin_of(keras.layers.Dense(3)).__name__
    'Dense'
    """
    return next((base for base in type(layer).__mro__ if base in ASYMMETRIC), None)


def asymmetric_parts(layer: keras.layers.Layer) -> list[AsymmetricLayer]:
    """Returns the asymmetric layers among a layer and those inside it."""
    if not isinstance(layer, keras.layers.Layer):  # an operation
        return []
    return [p for p in layer._flatten_layers() if isinstance(p, AsymmetricLayer)]


def has_lora(layer: keras.layers.Layer) -> bool:
    """Whether a layer itself has LoRA's kernels."""
    return getattr(layer, "lora_enabled", False)


def kind(layer: keras.layers.Layer) -> str:
    """Returns the name of a layer's class, for messages."""
    return type(layer).__name__


def _has_layers_to_copy(layer):
    """Whether a layer is a model that is copied layer by layer."""
    return isinstance(layer, keras.Sequential | _functional())


@functools.cache
def _functional():
    """The class of functional models: Keras has no public name for it."""
    inputs = keras.Input(())
    return type(keras.Model(inputs, inputs))


def new_inputs(model: keras.Model):
    """Returns inputs like those of a model, in its structure; None if it has none.

    `clone_model` by itself makes sparse inputs dense, and demands optional ones.
    """
    if isinstance(model, keras.Sequential):
        # One that isn't functional has none.
        return keras.tree.map_structure(_new_input, getattr(model, "inputs", None))
    return keras.tree.map_structure(_new_input, model.input)


def _new_input(tensor):
    made_by = tensor._keras_history.operation
    return keras.Input(
        batch_shape=tensor.shape,
        dtype=tensor.dtype,
        sparse=tensor.sparse,
        name=made_by.name,
        optional=getattr(made_by, "optional", False),
    )


def _copied(model):
    """Returns the layers of a model, and of those inside it, that are copied whole."""
    layers: dict = {}
    for layer in model.layers:
        for each in _copied(layer) if _has_layers_to_copy(layer) else [layer]:
            layers[id(each)] = each
    return [e for e in layers.values() if isinstance(e, keras.layers.Layer)]


def _is_compiled(layer):
    return isinstance(layer, keras.Model) and layer.compiled


def _has_vocabulary(layer):
    lookups = keras.layers.StringLookup, keras.layers.IntegerLookup
    return any(
        isinstance(layer, each) and type(layer).save_assets is each.save_assets
        for each in lookups
    )
