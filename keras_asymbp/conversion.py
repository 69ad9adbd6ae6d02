"""From a Keras model to its asymmetric twin, and back."""

import fnmatch
from collections.abc import Callable

import keras

from keras_asymbp import feedbacks
from keras_asymbp.layers import AsymmetricLayer
from keras_asymbp.surgery import (
    ASYMMETRIC,
    asymmetric_parts,
    clone,
    copy,
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

    Every layer that has an asymmetric form (`keras_asymbp.layers.LAYERS`) becomes it,
    with its name, weights, dtype policy, regularizers and `trainable`; shared layers
    stay shared, nested models are gone through. All other layers are copied. The new
    model is not compiled.

    A subclass of such a layer becomes the asymmetric form of that layer if all that it
    adds is in `__init__` and `get_config`, or new to it; a subclass that overrides
    what the layer does (`call`, `build`, ...) is copied: make it a subclass of the
    asymmetric layer instead. So are layers with LoRA or quantization, and layers that
    other layers make in their own code. The summary names them.

    Args:
        model: A built functional or Sequential model, nested ones included, such as
            those of `keras.applications`.
        feedback: The rule of every converted layer: a name, a `Feedback`, its config,
            or None for backpropagation. Each layer gets a rule of its own, and with a
            `seed`, a stream of its own. Or a dictionary of patterns of layers' names to
            rules, `{"conv*": "uSF", "logits": "BP"}`: the first that matches counts
            (`*`, `?` and `[...]` as in file names), and a layer that none matches is
            not converted; `"*"` at the end is for all others.
        filter: Function of a layer: whether to convert it. By default all are.
        print_fn: Is given the summary line by line: the layers of each kind that were
            converted, and those with weights that were not, and why. None for no
            summary.

    Returns:
        The new model; the old one is left as it is.

    Raises:
        ValueError: If the model isn't built, is a subclassed model, which can't be
            taken apart (use asymmetric layers in its code), has an asymmetric layer or
            direct feedback already, or no layer that can be converted; or if a pattern
            matches no layer that can be.

    >>> import keras
    >>> import keras_asymbp
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="a")])
    >>> twin = keras_asymbp.asymmetrize(model, feedback="uSF")
    Dense -> AsymDense: a
    >>> type(twin.layers[0]).__name__
    'AsymDense'
    """
    rules = _rules(feedback)
    used: set[str] = set()
    converted: list[tuple[str, str]] = []
    kept: list[tuple[str, str]] = []

    def convert(layer):
        present = asymmetric_parts(layer)
        if present:
            raise ValueError(
                f"Layer '{present[0].name}' has a feedback rule already: give "
                "`asymmetrize` the model that `symmetrize` makes of this one."
            )
        twin = twin_of(layer)
        if twin is None:
            kept.extend(_reasons(layer))
        elif getattr(layer, "lora_enabled", False) or layer.quantization_mode:
            why = "has LoRA or is quantized"
            kept.append((f"{kind(layer)} kept ({why})", layer.name))
        elif overridden := _overridden(layer, twin):
            why = f"overrides {overridden}: make it a subclass of {_form(twin)}"
            kept.append((f"{kind(layer)} kept ({why})", layer.name))
        elif filter is not None and not filter(layer):
            kept.append((f"{kind(layer)} kept (not picked by the filter)", layer.name))
        elif (pattern := _first_match(layer.name, rules)) is None:
            why = "no pattern matches its name"
            kept.append((f"{kind(layer)} kept ({why})", layer.name))
        else:
            used.add(pattern)
            own = rules[pattern].sibling(len(converted))
            converted.append((f"{kind(layer)} -> {_form(twin)}", layer.name))
            config = twin.get_config(layer) | {"feedback": own}
            return ASYMMETRIC[twin].from_config(config)
        return copy(layer)

    twin = clone(model, convert, "asymmetrize")
    if unused := rules.keys() - used - {"*"}:
        raise ValueError(
            "Expected each pattern of `feedback` to be the first that matches the name "
            "of a layer to convert. Received: "
            f"{', '.join(map(repr, sorted(unused)))}, which isn't for any of "
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
    """Returns the model of stock Keras layers that an asymmetric model is the twin of.

    Args:
        model: A built functional or Sequential model.

    Returns:
        A new model with the same weights and outputs, trained by backpropagation. It
        is not compiled.

    Raises:
        ValueError: If the model isn't built, is a subclassed model, has direct
            feedback, or an asymmetric layer that no stock layer is the twin of: one
            that another layer makes in its own code, or a subclass with a `call` of
            its own.

    >>> import keras
    >>> import keras_asymbp
    >>> model = keras.Sequential([keras.Input((4,)), keras_asymbp.AsymDense(3)])
    >>> type(keras_asymbp.symmetrize(model).layers[0]).__name__
    'Dense'
    """

    def convert(layer):
        if not isinstance(layer, AsymmetricLayer):
            if inside := asymmetric_parts(layer):
                raise ValueError(
                    f"Layer '{inside[0].name}' is made by the code of layer "
                    f"'{layer.name}' ({kind(layer)}), which `symmetrize` can't change."
                )
            return copy(layer)
        twin = layer.twin()
        if overridden := _overridden(layer, ASYMMETRIC.get(twin, AsymmetricLayer)):
            raise ValueError(
                f"Layer '{layer.name}' ({kind(layer)}) overrides {overridden}: "
                f"{twin.__name__} isn't its twin."
            )
        return twin.from_config(twin.get_config(layer))

    return clone(model, convert, "symmetrize")


def _rules(feedback):
    """Rules by the pattern of the names of the layers that they are for."""
    if isinstance(feedback, dict) and "class_name" not in feedback:
        return {pattern: feedbacks.get(rule) for pattern, rule in feedback.items()}
    return {"*": feedbacks.get(feedback)}


def _first_match(name, patterns):
    return next((p for p in patterns if fnmatch.fnmatchcase(name, p)), None)


def _overridden(layer, base):
    """What a subclass of `base` does otherwise than `base`: names, or an empty text."""
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
    """Why a layer without an asymmetric form, and what is inside of it, is kept."""
    if not isinstance(layer, keras.layers.Layer) or not layer.weights:
        return
    inside = [part for part in parts(layer)[1:] if twin_of(part)]
    within = {id(variable) for part in inside for variable in part.weights}
    for part in inside:
        why = f"made by the code of {kind(layer)}"
        yield f"{kind(part)} kept ({why})", f"{layer.name}/{part.name}"
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
