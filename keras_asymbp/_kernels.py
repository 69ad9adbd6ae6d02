"""The layers of a model that have kernels, by the path of their names."""

from typing import Any, NamedTuple

from keras_asymbp.layers import LAYERS, AsymmetricLayer


class Part(NamedTuple):
    """A layer with kernels.

    Attributes:
        name: Its path, such as `"block/conv"`; unique in the model.
        layer: The layer.
        kernels: W and V of each kernel, by a unique name: the layer's if it has one
            kernel, else `"<layer>/<attribute>"`. V is None in a stock layer.
    """

    name: str
    layer: Any
    kernels: dict[str, tuple[Any, Any]]


def stock_layers() -> tuple[type, ...]:
    """Returns the Keras layers that have an asymmetric form."""
    return tuple(layer.twin() for layer in LAYERS.values())


def layers_with_kernels(model: Any, stock: tuple[type, ...] = ()) -> list[Part]:
    """Returns the asymmetric layers of a model, and those of the classes `stock`."""
    parts: list[Part] = []
    taken: set[str] = set()
    seen = set()

    def unique(path):
        name, number = path, 1
        while name in taken:
            name, number = f"{path}_{number}", number + 1
        taken.add(name)
        return name

    def look(layer: Any, path: list[str]) -> None:
        if id(layer) in seen:
            return
        seen.add(id(layer))
        pairs = _pairs(layer, stock)
        if pairs:
            name = unique("/".join(path))
            kernels = {
                name if len(pairs) == 1 else f"{name}/{attribute}": (w, v)
                for attribute, w, v in pairs
            }
            parts.append(Part(name, layer, kernels))
        for inner in layer._layers:
            look(inner, [*path, inner.name])

    alone = isinstance(model, (AsymmetricLayer, stock))
    look(model, [model.name] if alone else [])
    return parts


def trained_kernels(model: Any, parts: list[Part]) -> dict[str, Any]:
    """Returns each kernel W that a model trains, by its name."""
    trained = {id(variable) for variable in model.trainable_variables}
    return {
        name: kernel
        for part in parts
        for name, (kernel, _) in part.kernels.items()
        if id(kernel) in trained
    }


def _pairs(layer, stock):
    if isinstance(layer, AsymmetricLayer):
        # A layer without rules of its own has layers that have them.
        return layer.feedback_pairs() if layer.feedback_rules() else []
    if not isinstance(layer, stock):
        return []
    return [
        (attribute, kernel, None)
        for attribute in ("depthwise_kernel", "pointwise_kernel", "kernel")
        if (kernel := getattr(layer, attribute, None)) is not None
    ]
