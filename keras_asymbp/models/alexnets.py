"""AlexNet."""

from keras_asymbp.models.base import builds
from keras_asymbp.models.rows import FC, Conv, Dropout, Network, Pad, Pool

# torchvision's.
ALEXNET = Network(
    (224, 224, 3),
    (
        *(Pad(2), Conv(64, 11, stride=4), Pool("max", 3)),
        *(Pad(2), Conv(192, 5), Pool("max", 3)),
        *(Pad(1), Conv(384, 3), Pad(1), Conv(256, 3), Pad(1), Conv(256, 3)),
        *(Pool("max", 3), Dropout(0.5), FC(4096), Dropout(0.5), FC(4096)),
    ),
)


@builds(classes=1000)
def alexnet() -> Network:
    """AlexNet for one processor, as torchvision has it: `alexnet` of the suite.

    Source: Krizhevsky, "One Weird Trick for Parallelizing Convolutional Neural
    Networks", 2014.

    >>> import keras_asymbp
    >>> model = keras_asymbp.models.alexnet("uSF", input_shape=(64, 64, 3))
    >>> model.count_params()
    24400680
    """
    return ALEXNET
