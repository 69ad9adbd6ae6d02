"""Converts a Keras model to its asymmetric twin, and back."""

import fnmatch
from collections.abc import Callable

import keras

from keras_asymbp import feedbacks
from keras_asymbp.copying import copy
from keras_asymbp.layers import AsymmetricLayer
from keras_asymbp.surgery import (
    ASYMMETRIC,
    asymmetric_parts,
    clone,
    has_lora,
    kind,
    parts,
    twin_of,
)


def asymmetrize(
    model: keras.Model,
    feedback="uSF",
    filter: Callable[[keras.layers.Layer], bool] | None = None,
    print_fn: Callable[[str], object] | None = print,
) -> keras.Model:
    """Returns the asymmetric twin of a model: same weights, same outputs.

    Every layer with an asymmetric form (`keras_asymbp.layers.LAYERS`) is converted and
    keeps its name, weights, dtype policy, regularizers and `trainable`, in nested
    models too; shared layers stay shared. All other layers are copied. The new model is
    not compiled.

    A subclass of such a layer is converted if it overrides `__init__` and `get_config`
    only and otherwise just adds methods. A subclass that overrides another method
    (`call`, `build`, ...) is copied: derive it from the asymmetric layer instead. Also
    copied are layers with LoRA or quantization, and layers that other layers create in
    their own code. The summary names them.

    Args:
        model (Model): A built functional or Sequential model, nested ones included,
            such as those of `keras.applications`.
        feedback (str | dict | Feedback | None): The rule of every converted layer: a
            name, a `Feedback`, its config, or None for backpropagation. Each layer gets
            its own rule, and with a `seed` its own stream. Or a dictionary from
            patterns of layers' names to rules, `{"conv*": "uSF", "logits": "BP"}`: the
            first match counts (`*`, `?` and `[...]` as in file names), and a layer
            without a match is not converted; a final `"*"` matches all others.
        filter (Callable | None): Function of a layer that returns whether to convert
            it. By default all are converted.
        print_fn (Callable | None): Function that receives the summary line by line: the
            converted layers by class, and the layers with weights that were kept, with
            the reason. None for no summary.

    Returns:
        The new model; the old one is not changed.

    Raises:
        ValueError: If the model isn't a Keras model, isn't built, is a subclassed
            model, which can't be taken apart (use asymmetric layers in its code),
            already has an asymmetric layer or direct feedback, or has no layer to
            convert; if a rule is unknown, or a pattern is no string or not the first
            match of any layer to convert; or if `filter` or `print_fn` isn't a
            function.

    >>> import keras
    >>> import keras_asymbp
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="a")])
    >>> twin = keras_asymbp.asymmetrize(model, feedback="uSF")
    Dense -> AsymDense: a
    >>> type(twin.layers[0]).__name__
    'AsymDense'
    """
    for argument, function in (("filter", filter), ("print_fn", print_fn)):
        if function is not None and not callable(function):
            raise ValueError(
                f"Argument `{argument}` must be a function or None. Received: "
                f"{argument}={function!r}"
            )
    rules = _rules(feedback)
    used: set[str] = set()
    converted: list[tuple[str, str]] = []
    kept: list[tuple[str, str]] = []

    def convert(layer):
        _check_within(layer, "asymmetrize")
        if isinstance(layer, AsymmetricLayer):
            raise ValueError(
                f"Layer '{layer.name}' already has a feedback rule: call "
                "`asymmetrize(symmetrize(model))`."
            )
        twin = twin_of(layer)
        if twin is None:
            kept.extend(_reasons(layer))
        elif any(map(has_lora, parts(layer))) or layer.quantization_mode:
            reason = "has LoRA or is quantized"
            kept.append((f"{kind(layer)} kept ({reason})", layer.name))
        elif overridden := _overridden(layer, twin):
            reason = f"overrides {overridden}: make it a subclass of {_form(twin)}"
            kept.append((f"{kind(layer)} kept ({reason})", layer.name))
        elif filter is not None and not filter(layer):
            kept.append((f"{kind(layer)} kept (not picked by the filter)", layer.name))
        elif (pattern := _first_match(layer.name, rules)) is None:
            reason = "no pattern matches its name"
            kept.append((f"{kind(layer)} kept ({reason})", layer.name))
        else:
            used.add(pattern)
            own = rules[pattern].sibling(len(converted))
            converted.append((f"{kind(layer)} -> {_form(twin)}", layer.name))
            return copy(layer, read_as=twin, create=ASYMMETRIC[twin], feedback=own)
        return copy(layer)

    twin = clone(model, convert, "asymmetrize")
    if unused := rules.keys() - used - {"*"}:
        raise ValueError(
            "Expected each pattern of `feedback` to be the first that matches the name "
            "of a layer to convert. Received: "
            f"{', '.join(map(repr, sorted(unused)))}, which is the first for none of "
            f"{_listed([name for _, name in converted + kept])}"
        )
    if not converted:
        raise ValueError(
            "Found no layer to convert. Expected at least one of "
            f"{', '.join(layer.__name__ for layer in ASYMMETRIC)} that the filter "
            f"picks. Received: model '{model.name}' with "
            f"{', '.join(sorted({kind(layer) for layer in model.layers}))}"
        )
    if type(twin) is not type(model):
        kept.append((f"{kind(model)} -> {kind(twin)}, without its methods", model.name))
    if print_fn is not None:
        for line in _summary(converted + kept):
            print_fn(line)
    return twin


def symmetrize(model: keras.Model) -> keras.Model:
    """Returns the stock Keras twin of an asymmetric model.

    Args:
        model (Model): A built functional or Sequential model.

    Returns:
        A new model with the same weights and outputs, for training by backpropagation.
        It is not compiled.

    Raises:
        ValueError: If the model isn't built, is a subclassed model, has direct
            feedback, or has an asymmetric layer without a stock twin: one that another
            layer creates in its own code, or a subclass that overrides `call`.

    >>> import keras
    >>> import keras_asymbp
    >>> model = keras.Sequential([keras.Input((4,)), keras_asymbp.AsymDense(3)])
    >>> type(keras_asymbp.symmetrize(model).layers[0]).__name__
    'Dense'
    """

    def convert(layer):
        if not isinstance(layer, AsymmetricLayer):
            _check_within(layer, "symmetrize")
            return copy(layer)
        twin = layer.twin()
        if overridden := _overridden(layer, ASYMMETRIC.get(twin, AsymmetricLayer)):
            raise ValueError(
                f"Layer '{layer.name}' ({kind(layer)}) overrides {overridden}: "
                f"{twin.__name__} isn't its twin."
            )
        return copy(layer, read_as=twin)

    return clone(model, convert, "symmetrize")


def _check_within(layer, function):
    if not isinstance(layer, AsymmetricLayer) and (within := asymmetric_parts(layer)):
        raise ValueError(
            f"Layer '{within[0].name}' is created by the code of layer "
            f"'{layer.name}' ({kind(layer)}), which `{function}` can't change."
        )


def _rules(feedback):
    """Returns the rules by their patterns of layers' names."""
    if isinstance(feedback, dict) and "class_name" not in feedback:
        if not all(isinstance(pattern, str) for pattern in feedback):
            raise ValueError(
                "Argument `feedback` must have patterns of layers' names as keys. "
                f"Received: {feedback!r}. Choose layers by class with `filter`."
            )
        return {pattern: feedbacks.get(rule) for pattern, rule in feedback.items()}
    return {"*": feedbacks.get(feedback)}


def _first_match(name, patterns):
    return next((p for p in patterns if fnmatch.fnmatchcase(name, p)), None)


def _overridden(layer, base):
    """Returns the names of the methods of `base` that a layer overrides, as a text."""
    mro = type(layer).__mro__
    changed = {
        name
        for subclass in mro[: mro.index(base)]
        for name in vars(subclass)
        if hasattr(base, name)
        and name not in ("from_config", "get_config")
        and (name == "__call__" or not name.startswith("__"))
    }
    return ", ".join(f"{base.__name__}.{name}" for name in sorted(changed))


def _form(twin):
    return ASYMMETRIC[twin].__name__


def _reasons(layer):
    """Yields why a layer without an asymmetric form, and each part of it, is kept."""
    if not isinstance(layer, keras.layers.Layer) or not layer.weights:
        return
    inside = [part for part in parts(layer)[1:] if twin_of(part)]
    within = {id(variable) for part in inside for variable in part.weights}
    for part in inside:
        reason = f"created by the code of {kind(layer)}"
        yield f"{kind(part)} kept ({reason})", f"{layer.name}/{part.name}"
    if any(id(variable) not in within for variable in layer.weights):
        yield f"{kind(layer)} kept (has no asymmetric form)", layer.name


def _summary(entries):
    names: dict[str, list[str]] = {}
    for change, name in entries:
        names.setdefault(change, []).append(name)
    for change, changed in names.items():
        yield f"{change}: {_listed(changed)}"


def _listed(names, most=6):
    text = ", ".join(names[:most])
    return text if len(names) <= most else f"{text} and {len(names) - most} more"
