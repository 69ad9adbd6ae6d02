"""Builds a network of the suite: the model of a cell."""

import keras

from keras_asymbp import feedbacks
from keras_asymbp.benchmarks import networks
from keras_asymbp.benchmarks.networks import Application, Transformer
from keras_asymbp.benchmarks.tables.rules import DIRECT
from keras_asymbp.benchmarks.training import transformer
from keras_asymbp.benchmarks.training.first_weights import draw_anew, first_weights
from keras_asymbp.conversion import asymmetrize
from keras_asymbp.direct_feedback import direct_feedback
from keras_asymbp.models import building
from keras_asymbp.normalization import BatchNormalization


def build(
    name: str,
    num_classes: int,
    feedback="BP",
    normalization: str | None = None,
    clamped: str | None = None,
    kernel_initializer="he_normal",
    normalization_per: str = "channel",
    normalization_alpha: float = 0.05,
    scale: str | float | None = None,
    seed: int = 0,
) -> keras.Model:
    """Builds a network that ends in logits.

    Batch normalization, if any, and ReLU follow every convolution and fully connected
    layer except the last; in a residual block the second ReLU follows the sum.

    Args:
        name: A key of `networks.NETWORKS`. The transformer and a model of
            `keras.applications`, untrained, have Keras's own initializers and
            normalization.
        num_classes: Number of units of the last layer.
        feedback: Name or config of the feedback rule; each layer gets its own instance.
            "DFA" is direct feedback alignment, "DRTP" direct random target projection.
        normalization: "BN" (no learnable parameters), "BN learnable", or None for the
            network's own, if any.
        clamped: "Bottom" freezes the last layer, "Top" all layers except the last,
            None freezes no layer. Frozen `BatchNormalization` still normalizes by the
            batch in training; Keras's own normalization does not.
        kernel_initializer: A key of `first_weights.INITIALIZERS` or a Keras
            initializer, for all kernels; biases start at 0.
        normalization_per: "channel" or "element"; see `BatchNormalization`.
        normalization_alpha: The `alpha` of `BatchNormalization`.
        scale: The `scale` of a sign-based rule; None for the rule's default.
        seed: Seed of the first weights; see `FirstWeights`. That of the feedback is
            Keras's global seed.

    Raises:
        UsageError: If the network is unknown.

    >>> build("mnist", 10, feedback="uSF").count_params()
    431080
    """
    network = networks.get(name)
    shared = {
        "feedback": "BP" if feedback in DIRECT else _scaled(feedback, scale),
        "trainable": clamped != "Top",
    }

    def arguments(number):
        initializer = first_weights(kernel_initializer, seed, number)
        return shared | {"kernel_initializer": initializer}

    kind = normalization or network.normalization

    def normalize():
        return BatchNormalization(
            learnable=kind == "BN learnable",
            per=normalization_per,
            alpha=normalization_alpha,
            trainable=shared["trainable"],
            # Only the weights are clamped; statistics follow the batches.
            batch_statistics_when_frozen=not shared["trainable"],
        )

    match network.layers:
        case (Application(application),):
            make = getattr(keras.applications, application)
            stock = make(weights=None, classes=num_classes, classifier_activation=None)
            model = _converted(stock, shared, clamped, seed)
        case (Transformer() as row,):
            stock = transformer.compose(row, network.input_shape, num_classes, name)
            model = _converted(stock, shared, clamped, seed)
        case _:
            builder = building.Builder(network, arguments, normalize if kind else None)
            steps = builder.hidden(num_classes)
            last = {"name": "logits", "trainable": clamped != "Bottom"}
            steps += builder.output(num_classes, **last)
            model = building.join(network.input_shape, steps, name)
    if feedback in DIRECT:
        model = direct_feedback(model, signal=DIRECT[feedback])
    return model


def _scaled(feedback, scale):
    if scale is None:
        return feedback
    config = feedbacks.serialize(feedbacks.get(feedback))
    config["config"]["scale"] = scale
    return config


def _converted(model, shared, clamped, seed):
    """A model of stock layers with first weights of the seed and asymmetric layers."""
    draw_anew(model, seed)
    model = asymmetrize(model, feedback=shared["feedback"], print_fn=None)
    *below, last = [layer for layer in model.layers if layer.weights]
    for layer in below:
        layer.trainable = clamped != "Top"
    last.trainable = clamped != "Bottom"
    return model
