"""Trains one model on two processes, each with half of every batch.

Run both, in two terminals or on two machines:

    python two_workers.py --worker 0
    python two_workers.py --worker 1

Keras's `fit` does not work under `MultiWorkerMirroredStrategy`, but a custom training
loop does. The feedback is `brSF`: its M is redrawn after each update and is the same on
both workers, because M depends only on the seed and the number of the draw.
"""

import json
import os

from absl import app, flags

flags.DEFINE_integer("worker", None, "Index of this worker, from 0.", 0)
flags.DEFINE_list(
    "workers", ["127.0.0.1:23456", "127.0.0.1:23457"], "host:port of each worker."
)
flags.DEFINE_integer("epochs", 2, "Number of epochs.", 1)
flags.DEFINE_integer("batch_size", 100, "Samples in a batch, across all workers.", 1)
flags.DEFINE_integer("samples", 1000, "Number of training images.", 1)
flags.mark_flag_as_required("worker")
FLAGS = flags.FLAGS


def make_model():
    import keras

    from keras_asymbp import AsymDense, feedbacks

    # Seeds, so that M is the same on all workers and in every run.
    rules = [feedbacks.BatchwiseRandomSignConcordant(seed=seed) for seed in (1, 2)]
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.Flatten(),
            AsymDense(50, activation="relu", feedback=rules[0], name="hidden"),
            AsymDense(10, feedback=rules[1], name="digits"),
        ]
    )


def main(argv):
    del argv
    # The strategy reads this variable, and must be created before anything else.
    task = {"type": "worker", "index": FLAGS.worker}
    cluster = {"worker": FLAGS.workers}
    os.environ["TF_CONFIG"] = json.dumps({"cluster": cluster, "task": task})

    import tensorflow as tf

    strategy = tf.distribute.MultiWorkerMirroredStrategy()

    import keras

    from keras_asymbp import BatchManhattan, redraw_feedback
    from keras_asymbp.benchmarks import datasets

    keras.utils.set_random_seed(0)
    digits = datasets.get("mnist_5k").load()
    images = digits.x_train[: FLAGS.samples].astype("float32") / 255
    data = tf.data.Dataset.from_tensor_slices((images, digits.y_train[: FLAGS.samples]))
    # Without a remainder: each worker must get the same number of samples.
    data = data.batch(FLAGS.batch_size, drop_remainder=True)
    batches = strategy.experimental_distribute_dataset(data)

    with strategy.scope():
        model = make_model()
        optimizer = BatchManhattan(1e-3)
        optimizer.build(model.trainable_variables)
    # The sum over a worker's part of the batch; the gradients are added up below.
    loss_of = keras.losses.SparseCategoricalCrossentropy(
        from_logits=True, reduction="sum"
    )

    def update(images, labels):
        with tf.GradientTape() as tape:
            loss = loss_of(labels, model(images, training=True))
        gradients = tape.gradient(loss, model.trainable_variables)
        # `apply` adds the workers' gradients, then all make the same update.
        optimizer.apply(gradients, model.trainable_variables)
        redraw_feedback(model)  # once for each update
        return loss

    @tf.function
    def train_step(images, labels):
        losses = strategy.run(update, (images, labels))
        return strategy.reduce("SUM", losses, axis=None)

    for epoch in range(FLAGS.epochs):
        losses = [float(train_step(*batch)) for batch in batches]
        mean = sum(losses) / len(losses) / FLAGS.batch_size
        print(f"worker {FLAGS.worker}, epoch {epoch + 1}: loss {mean:.4f}", flush=True)

    # What all workers must agree on: sums of the weights, of |V|, and the draws.
    layer = model.get_layer("hidden")
    weights = sum(float(abs(w.numpy()).sum()) for w in model.trainable_weights)
    magnitudes = float(abs(layer.feedback_kernel.numpy()).sum())
    print(
        f"worker {FLAGS.worker} done: {optimizer.iterations.numpy()} updates, "
        f"|W| {weights:.6f}, |V| {magnitudes:.6f}",
        flush=True,
    )


if __name__ == "__main__":
    app.run(main)
