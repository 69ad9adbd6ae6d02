"""Trains ResNet-18 on ImageNet under a feedback rule, on all GPUs of a machine.

    python docs/examples/imagenet/train.py --rule brSF --data_dir data
    python docs/examples/imagenet/train.py --rule brSF --dry_run

Give the same command again to continue an interrupted run. The hyper-parameters are
those of BioTorch: docs/guides/imagenet.md names their source, and the cost.
"""

import os
import pathlib
import sys
import tempfile

from absl import app, flags, logging

flags.DEFINE_enum(
    "rule", "brSF", ["BP", "FA", "uSF", "brSF", "frSF"], "Feedback rule of all layers."
)
flags.DEFINE_string("data_dir", None, "Folder of prepared data sets; TFDS's default.")
flags.DEFINE_string("output_dir", None, "Folder of the run: imagenet/RULE-seedN.")
flags.DEFINE_integer("seed", 0, "Seed of weights, feedback and data.", 0)
flags.DEFINE_integer("epochs", None, "Number of epochs, the recipe's.", 1)
flags.DEFINE_integer("batch_size", None, "Images in a batch, across all devices.", 1)
flags.DEFINE_bool("mixed_precision", False, "Compute in float16, with loss scaling.")
flags.DEFINE_bool("dry_run", False, "Train a few steps on noise and print the plan.")
flags.DEFINE_float(
    "images_per_second", None, "Throughput that the plan assumes in training.", 0.001
)
flags.DEFINE_integer("logical_cpus", 1, "Devices of a machine without a GPU.", 1)
FLAGS = flags.FLAGS

# Updates of a dry run, and images for each of them on each device.
_UPDATES, _IMAGES = 3, 2


def main(argv):
    del argv
    os.environ["KERAS_BACKEND"] = "tensorflow"  # the strategy is TensorFlow's
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    logging.set_verbosity(logging.WARNING)
    from keras_asymbp.benchmarks.errors import UsageError

    try:
        run()
    except UsageError as error:
        print(error, file=sys.stderr)
        sys.exit(2)


def run():
    import images
    import keras
    import plan
    import recipe

    from keras_asymbp.benchmarks.errors import UsageError

    strategy = make_strategy()
    replicas = strategy.num_replicas_in_sync
    batch_size = FLAGS.batch_size or recipe.BATCH_SIZE
    validation_images = images.COUNTS["validation"]
    size = plan.validation_batch_size(batch_size, replicas, validation_images)
    if size is None:
        raise UsageError(
            f"{replicas} devices can't share batches of {batch_size} and "
            f"{validation_images:,} validation images equally: expected a number that "
            "divides both; choose devices with CUDA_VISIBLE_DEVICES, or a --batch_size"
        )
    splits = None if FLAGS.dry_run else images.read(FLAGS.data_dir)

    keras.utils.set_random_seed(FLAGS.seed)
    if FLAGS.mixed_precision:
        keras.mixed_precision.set_global_policy("mixed_float16")
    with strategy.scope():
        model = recipe.make_model(FLAGS.rule, FLAGS.seed)
    if splits is None:
        dry_run(model, batch_size, strategy)
    else:
        train(model, *splits, batch_size, size)


def make_strategy():
    """A strategy on all GPUs, or on the CPU as `--logical_cpus` devices."""
    import tensorflow as tf

    if not tf.config.list_physical_devices("GPU"):
        tf.config.set_logical_device_configuration(
            tf.config.list_physical_devices("CPU")[0],
            [tf.config.LogicalDeviceConfiguration()] * FLAGS.logical_cpus,
        )
    return tf.distribute.MirroredStrategy()


def train(model, training, validation, batch_size, validation_batch_size):
    """Trains on ImageNet, from the start or from the last backup."""
    import images
    import recipe
    import tensorflow as tf

    folder = pathlib.Path(FLAGS.output_dir or f"imagenet/{FLAGS.rule}-seed{FLAGS.seed}")
    settings = {name: FLAGS[name].value for name in ("rule", "seed", "mixed_precision")}
    recipe.claim(folder, settings | {"batch_size": batch_size})
    # After an interruption, another order and other crops than in the first epochs.
    tf.random.set_seed(FLAGS.seed + recipe.finished_epochs(folder))
    recipe.fit(
        model,
        images.training_batches(training, batch_size),
        images.validation_batches(validation, validation_batch_size),
        FLAGS.epochs or recipe.EPOCHS,
        folder,
    )
    model.save(folder / "model.keras")
    errors = recipe.errors(folder)
    print(
        f"top-1 error: {errors[-1]:.2%} after the last epoch, {min(errors):.2%} at the "
        f"best; published: {recipe.PUBLISHED[FLAGS.rule]}%"
    )


def dry_run(model, batch_size, strategy):
    """Makes a few updates and an evaluation on noise, and prints the plan."""
    import images
    import plan
    import recipe

    replicas = strategy.num_replicas_in_sync
    examples = images.random_examples(_UPDATES * _IMAGES * replicas)
    with tempfile.TemporaryDirectory() as folder:
        recipe.fit(
            model,
            images.training_batches(examples, _IMAGES * replicas),
            images.validation_batches(examples, _IMAGES * replicas),
            1,
            pathlib.Path(folder),
        )
    devices = [
        name.rpartition("/device:")[2] for name in strategy.extended.worker_devices
    ]
    print(f"dry run: {_UPDATES} updates on noise, nothing kept. The plan:")
    print(f"rule: {FLAGS.rule}, published top-1 error {recipe.PUBLISHED[FLAGS.rule]}%")
    print(f"devices: {', '.join(devices)}")
    lines = plan.lines(
        model,
        recipe.learning_rate,
        FLAGS.epochs or recipe.EPOCHS,
        batch_size,
        replicas,
        tuple(images.COUNTS.values()),
        FLAGS.images_per_second,
    )
    print(*lines, sep="\n")


if __name__ == "__main__":
    app.run(main)
