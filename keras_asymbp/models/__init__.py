"""Models at hand: the networks of the benchmark suite, as functions in Keras's manner.

Importing this package imports no tensor library; a call does. `rows` has the words in
which networks are described, `building` makes layers of them, and the suite uses both.

>>> import keras_asymbp
>>> model = keras_asymbp.models.resnet20(feedback="uSF", classes=10)
>>> model.output_shape
(None, 10)
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # their arguments are joined at import
    from keras_asymbp.models._public import *  # noqa: F403
else:
    from keras_asymbp.models.alexnets import alexnet
    from keras_asymbp.models.deep import plain, residual
    from keras_asymbp.models.lenets import lenet, lenet_cifar
    from keras_asymbp.models.paper import (
        paper_cifar,
        paper_large,
        paper_mnist,
        paper_svhn,
    )
    from keras_asymbp.models.perceptrons import mlp
    from keras_asymbp.models.resnets import resnet18, resnet20, resnet56

__all__ = [
    "alexnet",
    "lenet",
    "lenet_cifar",
    "mlp",
    "paper_cifar",
    "paper_large",
    "paper_mnist",
    "paper_svhn",
    "plain",
    "residual",
    "resnet18",
    "resnet20",
    "resnet56",
]
