import math
from typing import Any

from keras_asymbp._numbers import is_number
from keras_asymbp.feedbacks.base import Feedback, fan

_SCALES = {
    "fan_in": lambda rule: 1 / fan(rule, "fan_in"),
    "init_std": lambda rule: math.sqrt(2 / fan(rule, "fan_out")),
}


class SignConcordant(Feedback):
    """Base of the rules that use the signs of W: a factor of V, to vary the paper's.

    Args:
        scale (str | float | None): Factor of V. None: 1, as in the paper. `"fan_in"`: 1
            / (inputs of one filter), as in `NuSF`. `"init_std"`: the standard deviation
            of He's initializer by outputs, sqrt(2 / (width x height x output
            channels)), as in Xiao et al. 2018. Or a number above 0.

    Raises:
        ValueError: If `scale` isn't one of these.

    Source of `"init_std"`: Xiao, Chen, Liao and Poggio, "Biologically-plausible
    learning algorithms can scale to large datasets", 2018.
    """

    def __init__(self, scale: float | str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale: str | float | None
        if scale is None or (isinstance(scale, str) and scale in _SCALES):
            self.scale = scale
        elif is_number(scale, is_open=True):
            self.scale = float(scale)
        else:
            raise ValueError(
                "Argument `scale` must be None, "
                f"{', '.join(map(repr, _SCALES))} or a number above 0. "
                f"Received: scale={scale!r}"
            )

    def scaled(self, feedback_kernel):
        """Returns the feedback kernel times the scale."""
        if self.scale is None:
            return feedback_kernel
        if isinstance(self.scale, str):
            return feedback_kernel * _SCALES[self.scale](self)
        return feedback_kernel * self.scale

    def get_config(self):
        return {**super().get_config(), "scale": self.scale}
