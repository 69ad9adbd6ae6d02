"""BioTorch's training of ResNet-18 on ImageNet, for Keras.

Source: Benchmarks.md of https://github.com/jsalbert/biotorch, section "ImageNet", at
commit 536ea21. Where it is silent, docs/guides/imagenet.md states the choice.
"""

import csv
import json
import sys

import keras

import keras_asymbp
from keras_asymbp import feedbacks
from keras_asymbp.benchmarks.errors import UsageError

EPOCHS = 75
BATCH_SIZE = 256
LEARNING_RATE = 0.1
MILESTONES = (20, 40, 60)
MOMENTUM = 0.9
WEIGHT_DECAY = 1e-4

# The columns of FA-bench for which the source has a figure and trains with SGD.
RULES = {
    "BP": feedbacks.Symmetric(),
    "FA": feedbacks.FixedRandom(),
    "uSF": feedbacks.UniformSignConcordant(scale="init_std"),
    "brSF": feedbacks.BatchwiseRandomSignConcordant(scale="init_std"),
    "frSF": feedbacks.FixedRandomSignConcordant(scale="init_std"),
}
# Top-1 errors on the validation images, in percent.
PUBLISHED = {"BP": 30.39, "FA": 85.25, "uSF": 34.97, "brSF": 37.21, "frSF": 36.5}


def learning_rate(epoch):
    """The learning rate of an epoch, counted from 0: a tenth from each milestone on."""
    return LEARNING_RATE * 0.1 ** sum(epoch >= milestone for milestone in MILESTONES)


def make_model(rule, seed):
    """ResNet-18 for 1,000 classes; its outputs are logits."""
    model = keras_asymbp.models.resnet18(
        RULES[rule], classifier_activation=None, seed=seed
    )
    compile_model(model)
    return model


def compile_model(model):
    model.compile(
        # Its setting 0 is PyTorch's SGD: the decay is added to the gradient.
        keras_asymbp.BatchManhattan(LEARNING_RATE, MOMENTUM, WEIGHT_DECAY, setting=0),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=[_error(1), _error(5)],
        jit_compile=False,  # untested on several replicas
    )


def _error(k):
    def error(labels, outputs):
        outputs = keras.ops.cast(outputs, "float32")  # TensorFlow's has no float16
        return 1 - keras.metrics.sparse_top_k_categorical_accuracy(labels, outputs, k=k)

    return keras.metrics.MeanMetricWrapper(error, name=f"top{k}_error")


def fit(model, training, validation, epochs, folder, more=()):
    """Trains, or continues after the last epoch that `folder` has a backup of.

    The backup is written after each epoch: weights, momentum, and the state of the
    feedback, which a Keras model stores with its weights.

    Args:
        model: A compiled model.
        training: A `tf.data.Dataset` of batches of images and labels.
        validation: Another.
        epochs: Number of epochs, those of the backup included.
        folder: Receives `log.csv` and `backup/`, a `pathlib.Path`.
        more: Further Keras callbacks.
    """
    callbacks = [
        keras.callbacks.LearningRateScheduler(learning_rate),
        keras_asymbp.RedrawFeedback(),
        keras.callbacks.TerminateOnNaN(raise_error=True),  # the backup stays
        keras.callbacks.CSVLogger(folder / "log.csv", append=True),
        keras.callbacks.BackupAndRestore(
            str(folder / "backup"), double_checkpoint=True, delete_checkpoint=False
        ),
        *more,
    ]
    model.fit(
        training,
        validation_data=validation,
        epochs=epochs,
        callbacks=callbacks,
        shuffle=False,  # the data set does it
        verbose=1 if sys.stdout.isatty() else 2,  # a line an epoch in a file
    )


def finished_epochs(folder):
    """Number of epochs in the backup of a folder."""
    metadata = folder / "backup" / "training_metadata.json"
    return json.loads(metadata.read_text())["epoch"] if metadata.exists() else 0


def claim(folder, settings):
    """Makes the folder of a run, or checks that it is this run's.

    Raises:
        UsageError: If it holds a run with other settings.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "settings.json"
    if not file.exists():
        file.write_text(json.dumps(settings, indent=1) + "\n")
    found = json.loads(file.read_text())
    if found != settings:
        raise UsageError(
            f"{folder} holds a run with {found}: expected {settings}; choose another "
            "--output_dir"
        )


def errors(folder):
    """The top-1 validation error after each epoch, of all epochs in `log.csv`."""
    with open(folder / "log.csv", newline="") as file:
        rows = {int(row["epoch"]): row for row in csv.DictReader(file)}
    return [float(rows[epoch]["val_top1_error"]) for epoch in sorted(rows)]
