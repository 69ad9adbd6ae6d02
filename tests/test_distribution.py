"""Data-parallel training: the supported and unsupported cases of docs/distribution.md.

A process can create logical devices and clusters only once, so each test starts one.
"""

import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import textwrap

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]

pytestmark = pytest.mark.slow

TWO_CPUS = """
import keras, numpy as np, tensorflow as tf
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0],
    [tf.config.LogicalDeviceConfiguration()] * 2,
)
from keras_asymbp import *
from keras_asymbp import feedbacks
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
x = np.random.default_rng(0).normal(size=(32, 4)).astype("float32")
y = np.random.default_rng(1).normal(size=(32, 2)).astype("float32")

def make_model(feedback="brSF", **arguments):
    keras.utils.set_random_seed(0)
    if feedback == "brSF":
        feedback = feedbacks.BatchwiseRandomSignConcordant(seed=3)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(6)])
    model.add(AsymDense(2, feedback=feedback, name="asymmetric"))
    options = dict(jit_compile=False) | arguments
    loss = keras.losses.MeanSquaredError(reduction="sum_over_batch_size")
    model.compile(keras.optimizers.SGD(0.1), loss, **options)
    return model

def trained(model):
    return [weight.numpy().ravel().tolist() for weight in model.trainable_weights]

def refused(function):
    try:
        function()
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "not refused"
"""


@pytest.fixture
def run(run_python):
    """Runs code after `TWO_CPUS`; returns the JSON that it prints."""

    def run(code):
        printed = run_python(TWO_CPUS + "import json\n" + textwrap.dedent(code))
        return json.loads(printed.splitlines()[-1])

    return run


@pytest.mark.parametrize("callback", [True, False], ids=["callback", "no callback"])
@pytest.mark.parametrize("feedback", ["uSF", "brSF", "frSF"])
def test_fit_on_two_replicas_is_fit_on_one(feedback, callback, run):
    one, two, draws = run(f"""
        callbacks = [RedrawFeedback()] if {callback} else []
        weights = []
        for scope in (tf.distribute.get_strategy().scope(), strategy.scope()):
            with scope:
                model = make_model({feedback!r})
            model.fit(x, y, batch_size=8, epochs=2, shuffle=False, verbose=0,
                      callbacks=callbacks)
            weights.append(trained(model))
        layer = model.get_layer("asymmetric")
        layer.catch_up_feedback()  # as the next gradient does
        draws = getattr(layer.feedback, "draws", 8)
        print(json.dumps([*weights, draws]))
    """)
    for ours, theirs in zip(two, one, strict=True):
        assert ours == pytest.approx(theirs, abs=1e-5)
    assert draws == 8


def test_evaluate_predict_save_and_monitor(run):
    same, keys = run("""
        with strategy.scope():
            model = make_model()
        monitor = AlignmentMonitor(batches=[(x, y)])
        history = model.fit(x, y, batch_size=8, verbose=0,
                            callbacks=[RedrawFeedback(), monitor])
        model.evaluate(x, y, batch_size=8, verbose=0)
        outputs = model.predict(x, batch_size=8, verbose=0)
        import tempfile
        path = tempfile.mkdtemp() + "/model.keras"
        model.save(path)
        loaded = keras.models.load_model(path)
        same = np.allclose(loaded.predict(x, verbose=0), outputs, atol=1e-6)
        print(json.dumps([bool(same), sorted(history.history)]))
    """)
    assert same
    assert "asymmetric/gradient_angle" in keys


def test_batches_of_unequal_parts_fail_in_keras(run):
    # Once they no longer do, update docs/distribution.md and docs/guides/imagenet.md.
    first, equal = run("""
        with strategy.scope():
            model = make_model()
        first = refused(lambda: model.evaluate(x[:5], y[:5], batch_size=5, verbose=0))
        with strategy.scope():
            model = make_model()
        equal = refused(lambda: model.evaluate(x[:6], y[:6], batch_size=6, verbose=0))
        print(json.dumps([first, equal]))
    """)
    assert first.startswith("InvalidArgumentError")
    assert equal == "not refused"


@pytest.mark.parametrize("feedback", ["uSF", "brSF"])
def test_several_steps_per_execution_are_refused_early(feedback, run):
    ours, keras_s = run(f"""
        with strategy.scope():
            model = make_model({feedback!r}, steps_per_execution=2)
        ours = refused(lambda: model.fit(x, y, verbose=0, callbacks=[RedrawFeedback()]))
        theirs = refused(lambda: model.fit(x, y, verbose=0))
        print(json.dumps([ours, theirs]))
    """)
    assert ours.startswith("ValueError: Keras can't run several steps per execution")
    assert "steps_per_execution=2, 2 replicas" in ours
    # Without the callback Keras fails: once it no longer does, allow this.
    assert keras_s != "not refused"


def test_a_custom_loop_on_two_replicas(run):
    one, two, draws = run("""
        weights = []
        for strategy in (tf.distribute.get_strategy(), strategy):
            with strategy.scope():
                model = make_model()
                optimizer = keras.optimizers.SGD(0.01)
                optimizer.build(model.trainable_variables)
            data = tf.data.Dataset.from_tensor_slices((x, y)).batch(8)
            data = strategy.experimental_distribute_dataset(data)

            def update(x, y):
                with tf.GradientTape() as tape:
                    loss = tf.reduce_sum((model(x, training=True) - y) ** 2)
                gradients = tape.gradient(loss, model.trainable_variables)
                optimizer.apply(gradients, model.trainable_variables)
                redraw_feedback(model)

            step = tf.function(lambda *batch: strategy.run(update, batch))
            for batch in data:
                step(*batch)
            weights.append(trained(model))
        draws = model.get_layer("asymmetric").feedback.draws
        print(json.dumps([*weights, draws]))
    """)
    for ours, theirs in zip(two, one, strict=True):
        assert ours == pytest.approx(theirs, abs=1e-5)
    assert draws == 4


def free_ports(number):
    sockets = [socket.socket() for _ in range(number)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def start_workers(command, folder, number=2):
    """Runs a command on each worker, connected by 127.0.0.1; returns their outputs."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    logs = [folder / f"{worker}.log" for worker in range(number)]
    workers = []
    try:
        for worker, log in enumerate(logs):
            with log.open("w") as file:
                workers.append(
                    subprocess.Popen(
                        [sys.executable, *command(worker)],
                        stdout=file,
                        stderr=subprocess.STDOUT,
                        env=environment,
                        cwd=folder,
                    )
                )
        codes = [worker.wait(timeout=400) for worker in workers]
    finally:
        for worker in workers:
            worker.kill()
    return codes, [log.read_text() for log in logs]


def test_two_workers(tmp_path):
    ports = free_ports(2)
    addresses = ",".join(f"127.0.0.1:{port}" for port in ports)
    script = ROOT / "docs" / "examples" / "two_workers.py"
    options = [f"--workers={addresses}", "--samples=200", "--epochs=2"]
    codes, printed = start_workers(
        lambda worker: [str(script), f"--worker={worker}", *options], tmp_path
    )
    assert codes == [0, 0], printed[0][-3000:]
    ends = [
        re.search(rf"worker {n} done: (\d+) updates, (.*)", text)
        for n, text in enumerate(printed)
    ]
    first, second = (end.groups() for end in ends)
    assert first == second  # the weights, and one M for both
    assert first[0] == "4"
    # The same in one process, on whole batches.
    (alone,) = free_ports(1)
    codes, (text,) = start_workers(
        lambda worker: [
            str(script),
            "--worker=0",
            f"--workers=127.0.0.1:{alone}",
            *options[1:],
        ],
        tmp_path,
        number=1,
    )
    assert codes == [0], text[-3000:]
    end = re.search(r"worker 0 done: (\d+) updates, \|W\| (\S+), \|V\| (\S+)", text)
    assert end[1] == "4"
    _, w, _, v = first[1].replace(",", "").split()
    assert float(end[2]) == pytest.approx(float(w), rel=1e-3)
    # The draws are the same; signs of a few weights near zero may differ.
    assert float(end[3]) == pytest.approx(float(v), rel=1e-3)


def test_fit_on_two_workers_fails_in_keras(tmp_path):
    # Once it no longer does, update docs/distribution.md.
    ports = free_ports(2)
    script = tmp_path / "fit.py"
    script.write_text(
        textwrap.dedent(
            f"""
            import json, os, sys
            cluster = {{"worker": ["127.0.0.1:{ports[0]}", "127.0.0.1:{ports[1]}"]}}
            task = {{"type": "worker", "index": int(sys.argv[1])}}
            os.environ["TF_CONFIG"] = json.dumps({{"cluster": cluster, "task": task}})
            import tensorflow as tf
            strategy = tf.distribute.MultiWorkerMirroredStrategy()
            import keras, numpy as np
            from keras_asymbp import AsymDense, RedrawFeedback
            with strategy.scope():
                model = keras.Sequential([keras.Input((3,)), AsymDense(2)])
                model.compile("sgd", "mse", jit_compile=False)
            try:
                model.fit(np.ones((8, 3)), np.ones((8, 2)), batch_size=4, verbose=0,
                          callbacks=[RedrawFeedback()])
                print("it works", flush=True)
            except Exception as error:
                print("refused:", type(error).__name__, error, flush=True)
            os._exit(0)  # the other worker may never end
            """
        )
    )
    codes, printed = start_workers(lambda worker: [str(script), str(worker)], tmp_path)
    assert codes == [0, 0]
    assert all("refused: " in text for text in printed), printed
