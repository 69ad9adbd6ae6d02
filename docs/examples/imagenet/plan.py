"""The work of a run, from the shapes of its model: nothing here is measured."""

import math

from keras_asymbp.layers import asymmetric_layers

# Throughputs for which the plan shows the hours, in images per second.
RATES = (500, 1000, 2000, 5000)


def forward_macs(model):
    """Multiply-accumulates of convolutions and fully connected layers for one image.

    Each element of a kernel is used once at each position of the output.
    """
    return sum(
        math.prod(layer.kernel.shape) * math.prod(layer.output.shape[1:-1])
        for layer in asymmetric_layers(model)
    )


def total_flops(model, training_images, validation_images):
    """Floating-point operations: 2 for a multiply-accumulate.

    Training takes three forward passes' worth: the outputs, the errors of the inputs
    and the gradients of the kernels.
    """
    return 2 * forward_macs(model) * (3 * training_images + validation_images)


def hours(images, images_per_second):
    return images / images_per_second / 3600


def validation_batch_size(batch_size, replicas, validation_images):
    """The largest validation batch, up to `batch_size`, that devices share equally.

    Keras evaluates no batch of which the devices get parts of different sizes. None if
    there is no such batch, or if the devices can't share `batch_size` itself.
    """
    fitting = [
        size
        for size in range(replicas, batch_size + 1, replicas)
        if validation_images % size == 0
    ]
    return max(fitting) if fitting and batch_size % replicas == 0 else None


def schedule(learning_rate, epochs):
    """Each learning rate with its first and last epoch, counted from 1."""
    rates = [learning_rate(epoch) for epoch in range(epochs)]
    starts = [n for n in range(epochs) if n == 0 or rates[n] != rates[n - 1]]
    ends = [*starts[1:], epochs]
    return [(rates[n], n + 1, end) for n, end in zip(starts, ends, strict=True)]


def memory(model, images):
    """Estimated bytes: of W, gradient, momentum and V, and of all layers' outputs."""
    weights = sum(math.prod(w.shape) for w in model.trainable_weights)
    kernels = sum(math.prod(layer.kernel.shape) for layer in asymmetric_layers(model))
    outputs = sum(math.prod(layer.output.shape[1:]) for layer in model.layers)
    return 4 * (3 * weights + kernels), 4 * outputs * images


def lines(model, learning_rate, epochs, batch_size, replicas, counts, speed=None):
    """The plan in words.

    Args:
        model: The model.
        learning_rate: A function of the epoch, counted from 0.
        epochs: Number of epochs.
        batch_size: Images in a batch, across all devices.
        replicas: Number of devices.
        counts: Number of images for training and for validation.
        speed: Training images per second, if known.
    """
    training, validation = counts
    steps = training // batch_size
    seen = steps * batch_size * epochs
    weights, outputs = memory(model, batch_size // replicas)
    flops = total_flops(model, seen, validation * epochs)
    yield f"batch: {batch_size}, {batch_size // replicas} on each device"
    yield f"images: {training:,} for training, {validation:,} for validation"
    yield f"epochs: {epochs} of {steps:,} updates, {steps * epochs:,} in all"
    for rate, first, last in schedule(learning_rate, epochs):
        yield f"learning rate: {rate:.4g} in epochs {first} to {last}"
    yield f"parameters: {sum(math.prod(w.shape) for w in model.trainable_weights):,}"
    yield (
        f"memory of each device, estimated in float32: {weights / 1e9:.2f} GB for W, "
        f"gradients, momentum and V, {outputs / 1e9:.1f} GB for all layers' outputs"
    )
    yield f"one image forward: {forward_macs(model) / 1e9:.3f} GMAC"
    yield f"all epochs with validation: {flops:.3g} floating-point operations"
    for each in [speed] if speed else RATES:
        yield (
            f"training at {each:,g} images per second: {hours(seen, each):.1f} hours "
            "(assumed, not measured)"
        )
