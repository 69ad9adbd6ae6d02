"""The program of docs/examples/imagenet/, without ImageNet."""

import importlib.util
import io
import json
import os
import pathlib
import re
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "examples" / "imagenet"


def load(name):
    spec = importlib.util.spec_from_file_location(
        f"imagenet_{name}", FOLDER / f"{name}.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def images():
    pytest.importorskip("tensorflow")
    return load("images")


@pytest.fixture(scope="module")
def plan():
    return load("plan")


@pytest.fixture(scope="module")
def recipe():
    return load("recipe")


@pytest.fixture
def resnet(recipe):
    return recipe.make_model("uSF", seed=0)


def run(*arguments):
    path = os.pathsep.join([str(ROOT), *sys.path])
    return subprocess.run(
        [sys.executable, str(FOLDER / "train.py"), *arguments],
        env=os.environ | {"PYTHONPATH": path, "CUDA_VISIBLE_DEVICES": "-1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.slow
def test_a_dry_run_on_two_devices_prints_the_plan():
    done = run("--dry_run", "--logical_cpus=2", "--images_per_second=1000")
    assert done.returncode == 0, done.stderr[-3000:]
    printed = done.stdout[done.stdout.index("dry run:") :].splitlines()
    assert printed == [
        "dry run: 3 updates on noise, nothing kept. The plan:",
        "rule: brSF, published top-1 error 37.21%",
        "devices: CPU:0, CPU:1",
        "batch: 256, 128 on each device",
        "images: 1,281,167 for training, 50,000 for validation",
        "epochs: 75 of 5,004 updates, 375,300 in all",
        "learning rate: 0.1 in epochs 1 to 20",
        "learning rate: 0.01 in epochs 21 to 40",
        "learning rate: 0.001 in epochs 41 to 60",
        "learning rate: 0.0001 in epochs 61 to 75",
        "parameters: 11,689,512",
        "memory of each device, estimated in float32: 0.19 GB for W, gradients, "
        "momentum and V, 5.3 GB for all layers' outputs",
        "one image forward: 1.814 GMAC",
        "all epochs with validation: 1.06e+18 floating-point operations",
        "training at 1,000 images per second: 26.7 hours (assumed, not measured)",
    ]
    # The page shows this plan.
    page = (ROOT / "docs" / "guides" / "imagenet.md").read_text(encoding="utf-8")
    assert "\n".join(printed) in page


@pytest.mark.slow
def test_a_missing_data_set_is_one_line(tmp_path):
    done = run(f"--data_dir={tmp_path}")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1] == (
        f"data set 'imagenet2012' is not prepared in {tmp_path}: expected its train "
        "and validation splits; name their folder with --data_dir, or prepare them as "
        "docs/guides/imagenet.md describes"
    )


def test_the_schedule_is_the_published_one(plan, recipe):
    assert (recipe.EPOCHS, recipe.BATCH_SIZE) == (75, 256)
    assert (recipe.MOMENTUM, recipe.WEIGHT_DECAY) == (0.9, 1e-4)
    rates = [recipe.learning_rate(epoch) for epoch in range(75)]
    expected = [0.1] * 20 + [0.01] * 20 + [0.001] * 20 + [0.0001] * 15
    assert rates == pytest.approx(expected)
    spans = [
        (first, last) for _, first, last in plan.schedule(recipe.learning_rate, 75)
    ]
    assert spans == [(1, 20), (21, 40), (41, 60), (61, 75)]


def test_the_rules_are_columns_of_fa_bench(recipe):
    from keras_asymbp import feedbacks
    from keras_asymbp.benchmarks.tables.experiments import FA_BENCH

    columns = {column.name: column for column in FA_BENCH.columns}
    for name, rule in recipe.RULES.items():
        column = columns[name]
        assert type(rule) is type(feedbacks.get(column.rule))
        assert getattr(rule, "scale", None) == column.scale
    assert set(recipe.PUBLISHED) == set(recipe.RULES)
    source = (FOLDER / "train.py").read_text(encoding="utf-8")
    choices = re.search(r'"rule", "brSF", (\[.*?\])', source)[1]
    assert json.loads(choices) == list(recipe.RULES)


def test_the_page_has_the_published_figures(recipe):
    page = (ROOT / "docs" / "guides" / "imagenet.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| ([\d.]+) \|", page, re.MULTILINE))
    assert {name: float(error) for name, error in rows.items()} == recipe.PUBLISHED


def test_the_optimizer_is_pytorch_s_sgd(recipe):
    import keras

    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    recipe.compile_model(model)
    w = keras.Variable([2.0])
    w_here, momentum = 2.0, 0.0
    for gradient in (1.0, -0.5, 0.25):
        model.optimizer.apply([keras.ops.array([gradient])], [w])
        momentum = 0.9 * momentum + gradient + 1e-4 * w_here
        w_here -= 0.1 * momentum
    assert float(w[0]) == pytest.approx(w_here, rel=1e-6)


def test_the_errors_are_top_1_and_top_5(recipe):
    import keras

    model = keras.Sequential([keras.Input((6,)), keras.layers.Identity()])
    recipe.compile_model(model)
    outputs = np.tile(np.arange(6.0), (4, 1))  # the classes in order: 5, 4, 3, 2, 1, 0
    labels = np.array([5, 4, 1, 0])
    found = model.evaluate(outputs, labels, verbose=0, return_dict=True)
    assert (found["top1_error"], found["top5_error"]) == (0.75, 0.25)


def test_the_multiply_accumulates_are_those_of_the_layers(plan, resnet):
    stem = 112**2 * 7**2 * 3 * 64
    block = 56**2 * 9 * 64 * 64  # the same at each stage, with its larger kernels
    first = block // 2  # of a stage that halves the size
    shortcut = 28**2 * 64 * 128
    expected = stem + 4 * block + 3 * (first + 3 * block + shortcut) + 512 * 1000
    assert plan.forward_macs(resnet) == expected == 1_814_073_344
    flops = plan.total_flops(resnet, 10, 4)
    assert flops == 2 * expected * (3 * 10 + 4)
    assert plan.hours(7200, 2) == 1


def test_the_memory_is_that_of_the_shapes(plan):
    import keras

    from keras_asymbp import AsymDense

    model = keras.Sequential([keras.Input((3,)), AsymDense(2), keras.layers.ReLU()])
    assert plan.memory(model, 10) == (4 * (3 * 8 + 6), 4 * 4 * 10)


@pytest.mark.parametrize(
    ("batch_size", "replicas", "size"),
    [(256, 1, 250), (256, 2, 250), (256, 8, 200), (256, 3, None), (300, 3, None)],
)
def test_devices_share_validation_batches_equally(batch_size, replicas, size, plan):
    assert plan.validation_batch_size(batch_size, replicas, 50_000) == size


def jpeg(width, height, mode="RGB"):
    """A JPEG of smooth colours, and its pixels."""
    x, y = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    channels = [x, y, np.sin(20 * x * y) / 2 + 0.5][: len(mode)]
    pixels = np.uint8(255 * np.stack(channels, -1).squeeze())
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=90)
    return file.getvalue()


MEAN = np.array([0.485, 0.456, 0.406])
STDDEV = np.array([0.229, 0.224, 0.225])


@pytest.mark.parametrize(
    ("width", "height"), [(400, 300), (301, 517), (224, 224), (60, 90)]
)
def test_a_validation_image_is_the_central_crop(width, height, images):
    content = jpeg(width, height)
    found = images.validation_image(content).numpy()
    image = Image.open(io.BytesIO(content))
    short = min(width, height)
    size = (256 * width // short, 256 * height // short)
    image = image.resize(size, Image.Resampling.BILINEAR)
    left, top = (round((length - 224) / 2) for length in size)
    image = image.crop((left, top, left + 224, top + 224))
    expected = (np.asarray(image) / 255 - MEAN) / STDDEV
    assert found.shape == (224, 224, 3)
    assert found.dtype == "float32"
    # Pillow rounds to whole pixels after each of two passes.
    assert np.abs(found - expected).max() < 1.5 / 255 / STDDEV.min()


def test_training_images_are_random_crops(images):
    import tensorflow as tf

    tf.random.set_seed(0)
    content = jpeg(500, 375)
    crops = [images.training_image(content).numpy() for _ in range(12)]
    low, high = -MEAN / STDDEV, (1 - MEAN) / STDDEV
    for crop in crops:
        assert crop.shape == (224, 224, 3)
        assert (crop >= low - 0.01).all()
        assert (crop <= high + 0.01).all()
    assert len({crop.tobytes() for crop in crops}) == 12
    # Red rises from left to right, unless the crop is mirrored.
    red = [crop[:, -1, 0].mean() > crop[:, 0, 0].mean() for crop in crops]
    assert 0 < sum(red) < 12
    # The share of the width: that of red's range.
    spans = [np.ptp(crop[..., 0]) * STDDEV[0] for crop in crops]
    assert min(spans) < 0.6 < max(spans)


def test_a_gray_jpeg_has_three_channels(images):
    for function in (images.validation_image, images.training_image):
        image = function(jpeg(300, 260, "L")).numpy() * STDDEV + MEAN
        assert np.ptp(image, axis=-1).max() < 1e-5


@pytest.fixture(scope="module")
def prepared(prepare_tfds, tmp_path_factory):
    """A folder with an `imagenet2012` of 6 + 4 images."""
    tfds = pytest.importorskip("tensorflow_datasets")

    features = {
        "image": tfds.features.Image(encoding_format="jpeg"),
        "label": tfds.features.ClassLabel(num_classes=1000),
    }
    splits = {
        split: [
            {"image": io.BytesIO(jpeg(300 + n, 280)), "label": n} for n in range(count)
        ]
        for split, count in (("train", 6), ("validation", 4))
    }
    folder = tmp_path_factory.mktemp("tfds")
    prepare_tfds(folder, "imagenet2012", features, splits, version="5.1.0")
    return str(folder)


def test_prepared_images_are_streamed(images, prepared, monkeypatch):
    monkeypatch.setattr(images, "COUNTS", {"train": 6, "validation": 4})
    training, validation = images.read(prepared)
    [(x, y)] = images.training_batches(training, 4)  # without the remainder
    assert x.shape == (4, 224, 224, 3)
    assert len(set(y.numpy().tolist())) == 4
    batches = list(images.validation_batches(validation, 3))
    assert [len(x) for x, _ in batches] == [3, 1]
    labels = np.concatenate([y for _, y in batches])
    assert sorted(labels.tolist()) == [0, 1, 2, 3]
    alone = images.validation_image(jpeg(300 + labels[0], 280))
    np.testing.assert_allclose(batches[0][0][0], alone, atol=1e-5)


def test_an_incomplete_data_set_is_refused(images, prepared):
    with pytest.raises(
        images.UsageError, match="has 6 train images: expected 1,281,167"
    ):
        images.read(prepared)


SMALL = """
import sys
sys.path.insert(0, {folder!r})
import images, keras, recipe, train
from absl import app
from keras_asymbp import AsymDense

def small(rule, seed):
    pool = keras.layers.AveragePooling2D(56)
    head = AsymDense(1000, feedback=rule)
    layers = [keras.Input((224, 224, 3)), pool, keras.layers.Flatten(), head]
    model = keras.Sequential(layers)
    recipe.compile_model(model)
    return model

images.COUNTS = {{"train": 6, "validation": 4}}
recipe.make_model = small

def main(argv):
    train.main(argv)
    train.FLAGS.epochs = 3
    train.main(argv)

app.run(main)
"""


@pytest.mark.slow
def test_the_program_trains_and_continues(prepared, run_python, recipe, tmp_path):
    output = tmp_path / "run"
    places = [f"--data_dir={prepared}", f"--output_dir={output}"]
    flags = ["--batch_size=2", "--mixed_precision", "--epochs=2"]
    printed = run_python(SMALL.format(folder=str(FOLDER)), arguments=[*places, *flags])
    errors = recipe.errors(output)
    assert len(errors) == 3
    found = re.findall(r"val_top1_error: (\S+)", printed)
    assert [float(each) for each in found] == pytest.approx(errors, abs=1e-4)
    assert printed.splitlines()[-1] == (
        f"top-1 error: {errors[-1]:.2%} after the last epoch, {min(errors):.2%} at the "
        "best; published: 37.21%"
    )
    assert json.loads((output / "settings.json").read_text()) == {
        "rule": "brSF",
        "seed": 0,
        "mixed_precision": True,
        "batch_size": 2,
    }
    assert (output / "model.keras").is_file()


def test_a_folder_of_another_run_is_refused(recipe, tmp_path):
    folder = tmp_path / "run"
    recipe.claim(folder, {"rule": "uSF", "seed": 0})
    recipe.claim(folder, {"rule": "uSF", "seed": 0})
    with pytest.raises(recipe.UsageError) as caught:
        recipe.claim(folder, {"rule": "brSF", "seed": 0})
    assert str(caught.value) == (
        f"{folder} holds a run with {{'rule': 'uSF', 'seed': 0}}: expected "
        "{'rule': 'brSF', 'seed': 0}; choose another --output_dir"
    )


RESUME = """
import json, pathlib, shutil, sys
import keras, numpy as np, tensorflow as tf
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0],
    [tf.config.LogicalDeviceConfiguration()] * 2,
)
sys.path.insert(0, sys.argv[1])
import recipe
from keras_asymbp import AsymConv2D, AsymDense, BatchNormalization
strategy = tf.distribute.MirroredStrategy()
x = np.random.default_rng(0).normal(size=(16, 4, 4, 3)).astype("float32")
data = tf.data.Dataset.from_tensor_slices((x, np.arange(16) % 10)).batch(8)
folder = pathlib.Path(sys.argv[2])

def make(seed):
    keras.utils.set_random_seed(seed)
    with strategy.scope():
        layers = [AsymConv2D(4, 3, feedback="brSF"), BatchNormalization(),
                  keras.layers.Flatten(), AsymDense(8, feedback="frSF"),
                  AsymDense(10, feedback="RndF")]
        model = keras.Sequential([keras.Input((4, 4, 3)), *layers])
        recipe.compile_model(model)
    return model

def feedback(model):
    return [np.array(layer.feedback_kernel).tolist()
            for layer in model.layers if hasattr(layer, "feedback_kernel")]

def everything(model):
    return [np.array(w).tolist() for w in model.weights + model.optimizer.variables]

class Second(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        if epoch == 1:  # what a kill in the third epoch leaves
            self.v = feedback(self.model)
            shutil.copytree(folder / "whole", folder / "killed")

class Begin(keras.callbacks.Callback):
    def on_train_begin(self, logs=None):
        self.v = feedback(self.model)

def run(seed, name, *callbacks):
    model = make(seed)
    before = feedback(model)
    recipe.fit(model, data, data, 4, folder / name, callbacks)
    return before, everything(model)

(folder / "whole").mkdir()
second, begin = Second(), Begin()
_, whole = run(0, "whole", second)
finished = recipe.finished_epochs(folder / "killed")
before, resumed = run(1, "killed", begin)
_, again = run(2, "killed")  # a finished run: nothing is trained
print(json.dumps({
    "finished": finished, "v": [before, second.v, begin.v],
    "ends": [whole, resumed, again],
    "errors": [recipe.errors(folder / name) for name in ("whole", "killed")],
}))
"""


@pytest.mark.slow
def test_an_interrupted_run_continues_with_the_same_weights_and_feedback(
    run_python, tmp_path
):
    printed = run_python(RESUME, arguments=[str(FOLDER), str(tmp_path)])
    found = json.loads(printed.splitlines()[-1])
    assert found["finished"] == 2
    before, second, begin = found["v"]
    assert before != second  # so that equal V is restored V
    assert begin == second
    whole, resumed, again = found["ends"]
    for ours, theirs in zip(resumed, whole, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)
    assert again == resumed
    errors, of_both_parts = found["errors"]
    assert len(errors) == 4
    assert of_both_parts == pytest.approx(errors)
