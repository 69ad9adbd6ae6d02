"""Plain and residual networks of any depth: the depth study's."""

import dataclasses
import os
from typing import TYPE_CHECKING, Any

from keras_asymbp.models.base import documented, make
from keras_asymbp.models.rows import Conv, Network, Residual

if TYPE_CHECKING:
    import keras


@dataclasses.dataclass(frozen=True)
class Family:
    """Networks of the depth study, which differ in depth alone.

    The lowest layer turns 28x28 pixels into 7x7; all between it and the logits are
    alike.

    Attributes:
        name: The family's name.
        depths: Numbers of layers with weights, the logits included.
        block: The repeated row.
        block_depth: Number of layers with weights in a block.
    """

    name: str
    depths: range
    block: Conv | Residual
    block_depth: int

    def network(self, depth: int) -> str:
        """The name of the network of a depth."""
        return f"{self.name}-{depth}"

    def networks(self) -> dict[str, Network]:
        """The networks by name, shallowest first."""
        return {self.network(depth): self.of_depth(depth) for depth in self.depths}

    def of_depth(self, depth: int) -> Network:
        """The network of a depth, which may be outside `depths`.

        Raises:
            ValueError: If no number of blocks makes this depth.
        """
        lowest = self.depths.start
        if depth < lowest or (depth - lowest) % self.block_depth:
            raise ValueError(
                f"Argument `depth` of a {self.name} network must be {lowest} plus a "
                f"multiple of {self.block_depth}. Received: depth={depth}"
            )
        return Network(
            (28, 28, 1),
            (Conv(16, 5, stride=4), *[self.block] * ((depth - 2) // self.block_depth)),
            padding="same",
            family=self.name,
            depth=depth,
        )


# A residual network without blocks would be plain-2.
FAMILIES = {
    family.name: family
    for family in (
        Family("plain", range(2, 21, 2), Conv(16, 3), block_depth=1),
        Family("residual", range(4, 21, 2), Residual(16), block_depth=2),
    )
}


@documented
def plain(
    feedback: Any = "uSF",
    *,
    depth: int = 10,
    input_shape: tuple[int | None, ...] | None = None,
    classes: int = 10,
    include_top: bool = True,
    weights: str | os.PathLike | None = None,
    classifier_activation: Any = "softmax",
    normalization: str | None = None,
    kernel_initializer: Any = "he_normal",
    seed: int | None = None,
    name: str | None = None,
) -> "keras.Model":
    """A network of equal convolutions, `depth` layers with weights deep.

    `plain-2`, `plain-4`, ... of the suite: the depth study's.

    >>> import keras_asymbp
    >>> keras_asymbp.models.plain("uSF", depth=4).count_params()
    12906
    """
    return make(
        FAMILIES["plain"].of_depth(depth),
        feedback=feedback,
        input_shape=input_shape,
        classes=classes,
        include_top=include_top,
        weights=weights,
        classifier_activation=classifier_activation,
        normalization=normalization,
        kernel_initializer=kernel_initializer,
        seed=seed,
        name=name or FAMILIES["plain"].network(depth),
    )


@documented
def residual(
    feedback: Any = "uSF",
    *,
    depth: int = 10,
    input_shape: tuple[int | None, ...] | None = None,
    classes: int = 10,
    include_top: bool = True,
    weights: str | os.PathLike | None = None,
    classifier_activation: Any = "softmax",
    normalization: str | None = None,
    kernel_initializer: Any = "he_normal",
    seed: int | None = None,
    name: str | None = None,
) -> "keras.Model":
    """A network of equal residual blocks, `depth` layers with weights deep.

    `residual-4`, `residual-6`, ... of the suite: the depth study's.

    >>> import keras_asymbp
    >>> keras_asymbp.models.residual("uSF", depth=4).count_params()
    12906
    """
    return make(
        FAMILIES["residual"].of_depth(depth),
        feedback=feedback,
        input_shape=input_shape,
        classes=classes,
        include_top=include_top,
        weights=weights,
        classifier_activation=classifier_activation,
        normalization=normalization,
        kernel_initializer=kernel_initializer,
        seed=seed,
        name=name or FAMILIES["residual"].network(depth),
    )
