"""Whether images of a size fit a network: arithmetic on its rows."""

from keras_asymbp.models.rows import Conv, GlobalPool, Network, Pad, Pool, Residual


def fits(network: Network, input_shape: tuple[int | None, ...], flat: bool) -> bool:
    """Whether every layer has an input of at least one pixel.

    Args:
        network: The network.
        input_shape: Shape of one input, None where it is open.
        flat: Whether a fully connected layer follows, which needs known sizes unless
            global pooling comes before it.
    """
    pooled = any(isinstance(row, GlobalPool) for row in network.layers)
    if flat and not pooled and None in input_shape:
        return False
    for size in input_shape[:-1]:
        for row in network.layers:
            if size is not None:
                size = _after(row, size, network.padding)
                if size < 1:
                    return False
    return True


def _after(row, size, padding):
    """Height or width of a row's outputs."""
    match row:
        case Conv(_, kernel, stride) | Pool(_, kernel, stride):
            if padding == "same":
                return -(-size // stride)
            return (size - kernel) // stride + 1
        case Pad(border):
            return size + 2 * border
        case Residual(_, stride):
            return (size - 1) // stride + 1
        case _:
            return size
