"""Shared fixtures, for both backends.

TensorFlow reads the environment when it is imported.
"""

import importlib.util
import os
import pathlib
import shutil
import subprocess
import sys

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import hypothesis
import keras
import numpy as np
import pytest
from keras import ops

# TensorFloat-32 products of a GPU are too coarse for the comparisons.
if keras.backend.backend() == "tensorflow":
    import tensorflow as tf

    tf.config.experimental.enable_tensor_float_32_execution(False)
else:
    import jax

    jax.config.update("jax_default_matmul_precision", "float32")

# Derandomized, so that failures in CI are reproducible.
hypothesis.settings.register_profile(
    "keras_asymbp", max_examples=15, deadline=None, derandomize=True, database=None
)
hypothesis.settings.load_profile("keras_asymbp")


@pytest.fixture(autouse=True)
def _seed():
    keras.utils.set_random_seed(0)


@pytest.fixture
def tfds_data_dir():
    """Folder with prepared TensorFlow Datasets."""
    folder = os.environ.get("KERAS_ASYMBP_TEST_DATA")
    if not folder:
        pytest.skip("KERAS_ASYMBP_TEST_DATA names no folder of prepared data sets")
    return folder


def _philox(counter, key):
    """Four words of Philox4x32-10, of Python integers. Salmon et al., SC 2011."""
    for _ in range(10):
        high0, low0 = divmod(counter[0] * 0xD2511F53, 2**32)
        high2, low2 = divmod(counter[2] * 0xCD9E8D57, 2**32)
        counter = high2 ^ counter[1] ^ key[0], low2, high0 ^ counter[3] ^ key[1], low0
        key = (key[0] + 0x9E3779B9) % 2**32, (key[1] + 0xBB67AE85) % 2**32
    return counter


@pytest.fixture(scope="session")
def draw_bits():
    """Computes the bits of a seed's draw by their definition."""

    def bits(size, seed, number):
        # TensorFlow's generator for the seeds (seed + 2^32, number).
        *key, low, high = _philox((seed, 1, number, 0), (0x3EC8F720, 0x02461E29))
        blocks = (_philox((n, 0, low, high), key) for n in range(-(-size // 4)))
        return np.array([word for block in blocks for word in block][:size], "uint32")

    return bits


@pytest.fixture(scope="session")
def draw_factor(draw_bits):
    """Computes M o S_p by its definition, on which saved models rely."""

    def factor(shape, seed, draw=0, flip_probability=0):
        size = int(np.prod(shape))

        def halves(stream):
            words = draw_bits((size + 1) // 2, seed, 2 * draw + stream)
            pairs = np.stack([words % 2**16, words // 2**16], axis=1)
            return pairs.ravel()[:size].reshape(shape)

        magnitudes = (2 * halves(0) + 1).astype("float32") / np.float32(2**17)
        flips = halves(1) < round(flip_probability * 2**16)
        return np.where(flips, -magnitudes, magnitudes)

    return factor


@pytest.fixture(scope="session")
def run_python():
    """Runs code in a new process; fails the test if the process fails."""

    def run(code, *flags, arguments=(), timeout=300, **options):
        path = {"PYTHONPATH": os.pathsep.join(sys.path)}
        done = subprocess.run(
            [sys.executable, *flags, "-c", code, *arguments],
            env=os.environ | path,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            **options,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    return run


@pytest.fixture(scope="session")
def extension():
    """Imports a module of docs/ext/, which is no package; it may import its siblings.

    MkDocs, too, has their folder on the path while it loads them.
    """
    folder = pathlib.Path(__file__).resolve().parents[1] / "docs" / "ext"

    def load(name):
        path = folder / f"{name}.py"
        spec = importlib.util.spec_from_file_location(name, path)
        module = importlib.util.module_from_spec(spec)
        with pytest.MonkeyPatch.context() as patch:
            patch.syspath_prepend(folder)
            spec.loader.exec_module(module)
        return module

    return load


@pytest.fixture(scope="session")
def prepare_tfds():
    """Prepares a data set as TFDS does, and returns its builder.

    `splits` has the examples of each split, each without a key: dicts of features.
    """
    tfds = pytest.importorskip("tensorflow_datasets")
    from tensorflow_datasets.core.dataset_builders import adhoc_builder

    tfds.disable_progress_bar()

    class Supervised(adhoc_builder.AdhocBuilder, skip_registration=True):
        def __init__(self, keys, **kwargs):
            self._keys = keys
            super().__init__(**kwargs)

        def _info(self):
            features, keys = self._feature_spec, self._keys
            return tfds.core.DatasetInfo(
                builder=self, features=features, supervised_keys=keys
            )

    def prepare(
        folder,
        name,
        features,
        splits,
        keys=("image", "label"),
        version="1.0.0",
        **options,
    ):
        builder = Supervised(
            keys,
            name=name,
            version=version,
            features=tfds.features.FeaturesDict(features),
            split_datasets={s: list(enumerate(splits[s])) for s in splits},
            data_dir=folder,
        )
        config = tfds.download.DownloadConfig(**options)
        builder.download_and_prepare(download_config=config)
        return builder

    return prepare


# The reports on recorded results are left out: they have tests of their own.
_SITE = """
import sys

from mkdocs.commands import build
from mkdocs.config import load_config
from mkdocs.utils import yaml_load

with open("mkdocs.yml", encoding="utf-8") as file:
    hooks = yaml_load(file)["hooks"]
hooks.remove("docs/ext/recorded_pages.py")
build.build(load_config("mkdocs.yml", hooks=hooks, site_dir=sys.argv[1]))
"""


@pytest.fixture(scope="session")
def site(tmp_path_factory, run_python):
    """The folder of the built documentation."""
    pytest.importorskip("mkdocs")
    folder = tmp_path_factory.mktemp("site")
    root = pathlib.Path(__file__).resolve().parents[1]
    run_python(_SITE, arguments=[str(folder)], cwd=root)
    return folder


@pytest.fixture(scope="module")
def browser():
    """Debian's chromium, without a window."""
    sync_api = pytest.importorskip("playwright.sync_api")
    if not shutil.which("chromium"):
        pytest.skip("chromium is not on PATH")
    flags = (
        *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
        *("--disable-background-networking", "--disable-component-update"),
        "--disable-sync",
    )
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=flags
        )
        yield browser
        browser.close()


@pytest.fixture
def make_late_model():
    """Makes a compiled model that creates its layer when it is built, as by `fit`."""

    def make(rule, units):
        from keras_asymbp import AsymDense

        class Late(keras.Model):
            def build(self, shape):
                self.layer = AsymDense(units, feedback=rule)
                self.built = True

            def call(self, inputs):
                return self.layer(inputs)

        model = Late()
        model.compile("sgd", "mse")
        return model

    return make


@pytest.fixture(scope="session")
def make_layer():
    """Makes an AsymDense with weights of both signs and a zero."""

    def make(feedback, kernel=None, **arguments):
        from keras_asymbp import AsymDense

        if kernel is None:
            kernel = [[0.5, -2.0, 0.0], [-0.25, 3.0, 1.0]]
        kernel = np.asarray(kernel)
        layer = AsymDense(kernel.shape[1], feedback=feedback, **arguments)
        layer.build((None, kernel.shape[0]))
        layer.kernel.assign(kernel)
        return layer

    return make


@pytest.fixture(scope="session")
def decorated():
    """A layer that calls another in a `tf.function`."""

    class Decorated(keras.layers.Layer):
        def __init__(self, layer):
            super().__init__()
            self.layer = layer

        @tf.function
        def call(self, x):
            return self.layer(x)

    return Decorated


@pytest.fixture(scope="session")
def backward_kernel():
    """Returns V of an AsymDense's backward pass, which turns unit errors into V."""

    def used(layer):
        from keras_asymbp import backend

        inputs, units = layer.kernel.shape
        x = ops.ones((units, inputs), layer.compute_dtype)
        error = ops.eye(units, dtype=layer.compute_dtype)
        _, [dx] = backend.gradients(layer, [x], [], lambda _: error)
        layer(x, training=True)  # where JAX takes note of V
        return ops.convert_to_numpy(ops.transpose(dx))

    return used


def _twin(layer, **changes):
    """Returns the stock Keras layer with a layer's configuration and weights."""
    config = layer.get_config() | changes
    del config["feedback"]
    twin = getattr(keras.layers, type(layer).__name__.removeprefix("Asym"))(**config)
    twin.build(layer.get_build_config()["input_shape"])
    for weight, value in zip(twin.weights, layer.trainable_weights, strict=True):
        weight.assign(value)
    return twin


@pytest.fixture(scope="session")
def twin():
    return _twin


@pytest.fixture(scope="session")
def gradients():
    """Returns a layer's Y for X, and dE/dX, dE/dW and dE/db for the error dE/dY."""

    def gradients(layer, x, error):
        from keras_asymbp import backend

        x = ops.convert_to_tensor(x)
        weights = [layer.kernel] + ([layer.bias] if layer.bias is not None else [])
        y, found = backend.gradients(
            layer, [x], weights, lambda y: ops.cast(error, y.dtype)
        )
        return y, *found

    return gradients


@pytest.fixture(scope="session")
def stock_gradients(gradients):
    """Returns the expected `gradients` for a given V, by stock Keras layers only.

    One layer has W, the other V instead: the products' error reaches W and b through
    the first, X through the second.
    """

    def stock_gradients(layer, x, error, v):
        from keras_asymbp import backend

        forward = _twin(layer, activation="linear")
        backward = _twin(layer, activation="linear")
        backward.kernel.assign(v)
        products = forward(x)
        y, [error] = backend.gradients(
            layer.activation, [products], [], lambda y: ops.cast(error, y.dtype)
        )
        _, _, *weights = gradients(forward, x, error)
        _, dx, *_ = gradients(backward, x, error)
        return y, dx, *weights

    return stock_gradients
