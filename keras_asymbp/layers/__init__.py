"""The asymmetric layers, one per file; `base.py` has what they share."""

from typing import TYPE_CHECKING, Any

import keras

from keras_asymbp._discover import public_classes
from keras_asymbp._subjects import check_layer
from keras_asymbp.feedbacks.base import Feedback, overrides
from keras_asymbp.layers.base import AsymmetricLayer

if TYPE_CHECKING:  # the layers are discovered at import
    from keras_asymbp.layers._public import *  # noqa: F403

LAYERS: dict[str, Any] = public_classes(__name__, __path__, AsymmetricLayer)
globals().update(LAYERS)
for _layer in LAYERS.values():
    keras.saving.register_keras_serializable("keras_asymbp")(_layer)

__all__ = ["AsymmetricLayer", "LAYERS", "asymmetric_layers", *LAYERS]


def asymmetric_layers(model) -> list[AsymmetricLayer]:
    """Returns the asymmetric layers of a model or layer, nested ones included.

    `AsymMultiHeadAttention` is among them and so are its projections, whose kernels
    are also in its own `feedback_pairs`. To draw for all layers of a model, use
    `keras_asymbp.redraw_feedback`: it draws once for each kernel.

    Raises:
        ValueError: If it is neither.
    """
    check_layer(model)
    return [
        layer for layer in model._flatten_layers() if isinstance(layer, AsymmetricLayer)
    ]


def rules_with(model, method: str) -> list[tuple[Feedback, keras.Variable]]:
    """Returns each rule of a model that overrides a method, with its kernel W."""
    return [
        (rule, kernel)
        for layer in asymmetric_layers(model)
        for rule, kernel in layer.feedback_rules()
        if overrides(rule, method)
    ]
