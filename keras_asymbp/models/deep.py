"""Plain and residual networks of any depth: the depth study's."""

import dataclasses

from keras_asymbp._numbers import check_count
from keras_asymbp.models.base import builds
from keras_asymbp.models.rows import Conv, Network, Residual


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

    def network_name(self, depth: int) -> str:
        """The name of the network of a depth."""
        return f"{self.name}-{depth}"

    def networks(self) -> dict[str, Network]:
        """The networks by name, shallowest first."""
        return {self.network_name(depth): self.of_depth(depth) for depth in self.depths}

    def of_depth(self, depth: int) -> Network:
        """The network of a depth, which may be outside `depths`.

        Raises:
            ValueError: If it isn't an integer, or no number of blocks makes it.
        """
        lowest = self.depths.start
        check_count("depth", depth, lowest)
        depth = int(depth)
        if (depth - lowest) % self.block_depth:
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


@builds(name=None)
def plain(depth: int = 10) -> Network:
    """A network of equal convolutions, `depth` layers with weights deep.

    `plain-2`, `plain-4`, ... of the suite: the depth study's.

    >>> import keras_asymbp
    >>> keras_asymbp.models.plain("uSF", depth=4).count_params()
    12906
    """
    return FAMILIES["plain"].of_depth(depth)


@builds(name=None)
def residual(depth: int = 10) -> Network:
    """A network of equal residual blocks, `depth` layers with weights deep.

    `residual-4`, `residual-6`, ... of the suite: the depth study's.

    >>> import keras_asymbp
    >>> keras_asymbp.models.residual("uSF", depth=4).count_params()
    12906
    """
    return FAMILIES["residual"].of_depth(depth)
