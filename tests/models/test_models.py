"""The functions build the suite's networks, and models that Keras can handle."""

import dataclasses
import inspect
import pathlib
import re

import keras
import numpy as np
import pytest
from keras import ops

import keras_asymbp
from keras_asymbp import models
from keras_asymbp.benchmarks.networks import NETWORKS, Application, Transformer

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "models.md"
FUNCTIONS = {name: getattr(models, name) for name in models.__all__}
# The suite's name of each network, with the arguments that give it.
SUITE = {
    "large": (models.paper_large, {}),
    "mnist": (models.paper_mnist, {}),
    "cifar": (models.paper_cifar, {}),
    "svhn": (models.paper_svhn, {}),
    "timit": (models.mlp, {}),
    "lenet-mnist": (models.lenet, {}),
    "lenet-cifar": (models.lenet_cifar, {}),
    "resnet-20": (models.resnet20, {}),
    "resnet-56": (models.resnet56, {}),
    "resnet-18": (models.resnet18, {}),
    "alexnet": (models.alexnet, {}),
    **{
        name: (FUNCTIONS[network.family], {"depth": network.depth})
        for name, network in NETWORKS.items()
        if network.family
    },
}
# As large as pooling needs.
SMALL = {"alexnet": (63, 63, 3), "resnet-18": (32, 32, 3), "resnet-56": (8, 8, 3)}
LARGE = ("alexnet", "paper_large", "resnet18", "resnet20", "resnet56")
# A function of each kind, with small inputs.
KINDS: dict[str, dict] = {
    "lenet": {"input_shape": (28, 28, 1)},
    "resnet20": {"input_shape": (8, 8, 3)},
    "mlp": {"input_shape": (5, 4), "hidden_units": (6,)},
    "residual": {"depth": 4},
}


def slow(names, which):
    """Parameters, those that take long marked."""
    return [
        pytest.param(name, marks=pytest.mark.slow) if name in which else name
        for name in names
    ]


EACH_KIND = slow(KINDS, {"resnet20"})


def make(name, feedback, **options):
    return FUNCTIONS[name](feedback, **KINDS[name] | options)


def batch(model, classes=10):
    random = np.random.default_rng(0)
    x = random.normal(size=(6, *model.input_shape[1:])).astype("float32")
    return x, random.integers(classes, size=6)


def trained(model, steps=2):
    model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
    for _ in range(steps):
        model.train_on_batch(*batch(model))
    return [ops.convert_to_numpy(v) for v in model.trainable_variables]


def assert_close(ours, theirs):
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_every_network_of_the_suite_has_a_function():
    stock = Application | Transformer  # converted as a whole
    own = {n for n, x in NETWORKS.items() if not isinstance(x.layers[0], stock)}
    assert own == set(SUITE)
    assert {function for function, _ in SUITE.values()} == set(FUNCTIONS.values())


@pytest.mark.parametrize(
    "name",
    slow(
        [n for n in SUITE if not re.fullmatch(r"(plain|residual)-(?!4$).*", n)],
        {"resnet-56", "resnet-18", "resnet-20", "alexnet", "large"},
    ),
)
def test_a_function_builds_the_suite_s_network(name, monkeypatch):
    from keras_asymbp.benchmarks.training.build import build

    function, options = SUITE[name]
    shape = SMALL.get(name, NETWORKS[name].input_shape)
    small = dataclasses.replace(NETWORKS[name], input_shape=shape)
    monkeypatch.setitem(NETWORKS, name, small)
    suite = build(name, 7, feedback="NuSF", kernel_initializer="zeros")
    model = function(
        "NuSF", input_shape=shape, classes=7, kernel_initializer="zeros", **options
    )

    def layers(model):
        return [
            (type(layer), layer.output.shape, [tuple(w.shape) for w in layer.weights])
            for layer in model.layers
        ]

    assert layers(model) == layers(suite)
    assert model.output_shape == (None, 7)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_signatures_are_in_keras_s_manner(name):
    arguments = inspect.signature(FUNCTIONS[name]).parameters
    assert next(iter(arguments)) == "feedback"
    assert arguments["feedback"].default == "uSF"
    theirs = inspect.signature(keras.applications.ResNet50).parameters
    for argument in ("weights", "input_shape", "classes", "classifier_activation"):
        assert argument in theirs
        assert argument in arguments
    assert arguments["weights"].default is None
    assert arguments["classifier_activation"].default == "softmax"
    documented = re.findall(r"^        (\w+): ", FUNCTIONS[name].__doc__, re.M)
    assert set(arguments) - {"depth", "hidden_units"} <= set(documented)
    for own in {"depth", "hidden_units"} & set(arguments):
        assert f"`{own}`" in FUNCTIONS[name].__doc__


def test_bp_learns_as_a_stock_keras_model_built_by_hand():
    layers = keras.layers
    stock = keras.Sequential(
        [
            keras.Input((32, 32, 1)),
            layers.Conv2D(6, 5, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(16, 5, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(120, 5, activation="relu"),
            layers.Flatten(),
            layers.Dense(84, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model = models.lenet("BP")
    stock.set_weights([ops.convert_to_numpy(v) for v in model.trainable_variables])
    assert_close(trained(model), trained(stock))


@pytest.mark.parametrize("name", EACH_KIND)
def test_bp_learns_as_the_stock_twin(name):
    model = make(name, None)
    stock = keras_asymbp.symmetrize(model)
    assert not any(hasattr(layer, "feedback") for layer in stock.layers)
    assert_close(trained(model), trained(stock))


@pytest.mark.parametrize("name", EACH_KIND)
def test_another_rule_learns_otherwise(name):
    start = make(name, "BP", seed=1)
    other = make(name, "RndF", seed=1)
    kernel = ops.convert_to_numpy(start.trainable_variables[0])
    np.testing.assert_array_equal(kernel, other.trainable_variables[0])
    assert not np.allclose(trained(start)[0], trained(other)[0], atol=1e-4)


@pytest.mark.parametrize("name", slow(KINDS, {"lenet", "resnet20", "residual"}))
def test_saved_cloned_and_converted(name, tmp_path):
    model = make(name, "frSF-25", normalization="BN")
    trained(model, steps=1)
    x, _ = batch(model)
    expected = ops.convert_to_numpy(model(x))
    model.save(tmp_path / "model.keras")
    model.save_weights(tmp_path / "model.weights.h5")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    read = make(
        name, "frSF-25", normalization="BN", weights=tmp_path / "model.weights.h5"
    )
    cloned = keras.models.clone_model(model)
    cloned.set_weights(model.get_weights())
    stock = keras_asymbp.symmetrize(model)
    again = keras_asymbp.asymmetrize(stock, "uSF", print_fn=None)
    for other in (loaded, read, cloned, stock, again):
        np.testing.assert_allclose(
            ops.convert_to_numpy(other(x)), expected, rtol=1e-5, atol=1e-6
        )
    for other in (loaded, read, cloned):
        for ours, theirs in zip(model.variables, other.variables, strict=False):
            np.testing.assert_array_equal(
                ops.convert_to_numpy(ours), ops.convert_to_numpy(theirs)
            )
    assert keras_asymbp.direct_feedback(make(name, None)).output_shape == (None, 10)


@pytest.mark.slow
def test_exported(tmp_path):
    tf = pytest.importorskip("tensorflow")
    model = make("resnet20", "uSF")
    x, _ = batch(model)
    model.export(tmp_path / "served", verbose=False)
    served = tf.saved_model.load(tmp_path / "served")
    expected = ops.convert_to_numpy(model(x))
    np.testing.assert_allclose(served.serve(x), expected, atol=1e-5)


def test_channels_come_last_whatever_keras_s_default():
    keras.config.set_image_data_format("channels_first")
    try:
        assert models.resnet20(input_shape=(8, 8, 3)).output_shape == (None, 10)
        model = models.lenet()
    finally:
        keras.config.set_image_data_format("channels_last")
    assert model.count_params() == models.lenet().count_params()


def rows_of_the_page():
    text = PAGE.read_text(encoding="utf-8")
    return re.findall(
        r"^\| `(\w+)` \| (`.+?) \| (.+?) \| (.+?) \| (.+?) \|", text, re.M
    )


def test_the_page_has_every_function():
    assert [name for name, *_ in rows_of_the_page()] == sorted(FUNCTIONS)


@pytest.mark.parametrize(
    ("name", "suite", "size", "classes", "parameters"),
    [
        pytest.param(*row, marks=pytest.mark.slow if row[0] in LARGE else ())
        for row in rows_of_the_page()
    ],
)
def test_the_page_has_each_function_with_its_size(
    name, suite, size, classes, parameters
):
    model = FUNCTIONS[name](kernel_initializer="zeros", feedback=None)
    count = sum(int(np.prod(v.shape)) for v in model.trainable_variables)
    assert parameters == f"{count:,}"
    assert size == "x".join(map(str, model.input_shape[1:]))
    assert classes == f"{model.output_shape[-1]:,}"
    assert SUITE[suite.split(",")[0].strip("`")][0] is FUNCTIONS[name]
