import keras
import numpy as np
import pytest

from keras_asymbp import AsymConv2D, AsymDense, BatchNormalization
from keras_asymbp.benchmarks.architectures import build
from keras_asymbp.benchmarks.errors import UsageError
from keras_asymbp.benchmarks.table1 import ARCHITECTURES, FC, Architecture, Conv, Pool


def conv(size, channels, filters):
    """Weights and biases of a convolution with size x size filters."""
    return size * size * channels * filters + filters


def fc(inputs, units):
    return inputs * units + units


# Network, number of classes, shape after every layer of Table 1, number of parameters.
TABLE_1 = [
    (
        "large",
        10,
        [
            (56, 56, 48),  # (119 - 9) / 2 + 1
            (28, 28, 48),
            (24, 24, 128),
            (12, 12, 128),
            (256,),  # 3 * 10 is less
            (20,),
            (10,),
        ],
        conv(9, 3, 48)
        + conv(5, 48, 128)
        + fc(12 * 12 * 128, 256)
        + fc(256, 20)
        + fc(20, 10),
    ),
    (
        "large",
        102,
        [
            *((56, 56, 48), (28, 28, 48), (24, 24, 128), (12, 12, 128)),
            (306,),  # 3 * 102
            (204,),
            (102,),
        ],
        conv(9, 3, 48)
        + conv(5, 48, 128)
        + fc(12 * 12 * 128, 306)
        + fc(306, 204)
        + fc(204, 102),
    ),
    (
        "mnist",
        10,
        [(24, 24, 20), (12, 12, 20), (8, 8, 50), (4, 4, 50), (500,), (10,)],
        conv(5, 1, 20) + conv(5, 20, 50) + fc(4 * 4 * 50, 500) + fc(500, 10),
    ),
    *(
        (
            "cifar",
            classes,
            [
                *((32, 32, 32), (16, 16, 32)),
                *((16, 16, 64), (8, 8, 64)),
                *((8, 8, 64), (4, 4, 64)),
                (128,),
                (classes,),
            ],
            conv(5, 3, 32)
            + conv(5, 32, 64)
            + conv(5, 64, 64)
            + fc(4 * 4 * 64, 128)
            + fc(128, classes),
        )
        for classes in (10, 100)
    ),
    (
        "svhn",
        10,
        [(28, 28, 20), (14, 14, 20), (8, 8, 512), (4, 4, 512), (40,), (10,)],
        conv(5, 3, 20) + conv(7, 20, 512) + fc(4 * 4 * 512, 40) + fc(40, 10),
    ),
    (
        "timit",
        80,
        [(512,), (256,), (80,)],
        fc(1845, 512) + fc(512, 256) + fc(256, 80),
    ),
]

POOLINGS = (keras.layers.MaxPooling2D, keras.layers.AveragePooling2D)


def layers_of(model, *kinds):
    return [layer for layer in model.layers if isinstance(layer, kinds)]


def kinds(model):
    return [type(layer).__name__ for layer in model.layers]


@pytest.mark.parametrize(("name", "classes", "shapes", "parameters"), TABLE_1)
def test_table_1(name, classes, shapes, parameters):
    model = build(name, classes)
    printed = layers_of(model, AsymConv2D, AsymDense, *POOLINGS)
    assert [layer.output.shape[1:] for layer in printed] == shapes
    assert model.count_params() == parameters


def test_every_network_of_table_1_is_tested():
    assert {name for name, *_ in TABLE_1} == set(ARCHITECTURES)


def test_relu_after_every_layer_with_weights_but_the_last():
    assert kinds(build("mnist", 10)) == [
        *("AsymConv2D", "ReLU", "MaxPooling2D"),
        *("AsymConv2D", "ReLU", "MaxPooling2D", "Flatten"),
        *("AsymDense", "ReLU"),
        "AsymDense",
    ]
    assert kinds(build("timit", 80)) == ["AsymDense", "ReLU"] * 2 + ["AsymDense"]


def test_cifar_pools_max_average_average():
    pools = layers_of(build("cifar", 10), *POOLINGS)
    assert [type(pool) for pool in pools] == [POOLINGS[0], POOLINGS[1], POOLINGS[1]]


def test_outputs_are_logits():
    model = build("timit", 80)
    assert (model(np.ones((1, 1845), "float32")).numpy() < 0).any()


@pytest.mark.parametrize("number", [0, 1, 2])
def test_cifar_convolutions_pad_two_pixels(number):
    layer = layers_of(build("cifar", 10), AsymConv2D)[number]
    x = np.random.default_rng(number).normal(size=(2, *layer.input.shape[1:]))
    padded = np.pad(x, [(0, 0), (2, 2), (2, 2), (0, 0)]).astype("float32")
    expected = keras.ops.conv(padded, layer.kernel, strides=1, padding="valid")
    np.testing.assert_allclose(
        layer(x.astype("float32")), expected + layer.bias, rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize(("number", "reduce"), [(0, np.nanmax), (1, np.nanmean)])
def test_cifar_pooling_pads_one_pixel_at_the_right_and_bottom(number, reduce):
    layer = layers_of(build("cifar", 10), *POOLINGS)[number]
    x = np.abs(np.random.default_rng(0).normal(size=(2, *layer.input.shape[1:])))
    # What is padded counts for nothing: for the maximum after a ReLU, as a zero does.
    filler = {np.nanmax: 0.0, np.nanmean: np.nan}[reduce]
    padded = np.pad(x, [(0, 0), (0, 1), (0, 1), (0, 0)], constant_values=filler)
    expected = [
        [
            reduce(padded[:, i : i + 3, j : j + 3], axis=(1, 2))
            for j in range(0, x.shape[2], 2)
        ]
        for i in range(0, x.shape[1], 2)
    ]
    np.testing.assert_allclose(
        layer(x.astype("float32")),
        np.moveaxis(np.array(expected), 2, 0),
        rtol=1e-5,
    )


@pytest.mark.parametrize("normalization", ["BN", "BN learnable"])
def test_normalization_is_between_a_layer_and_its_relu(normalization):
    model = build("mnist", 10, normalization=normalization)
    assert kinds(model) == [
        *("AsymConv2D", "BatchNormalization", "ReLU", "MaxPooling2D"),
        *("AsymConv2D", "BatchNormalization", "ReLU", "MaxPooling2D", "Flatten"),
        *("AsymDense", "BatchNormalization", "ReLU"),
        "AsymDense",
    ]


def test_normalization_learns_only_if_told():
    plain = build("mnist", 10)
    assert layers_of(plain, BatchNormalization) == []
    assert len(plain.trainable_variables) == 8
    assert len(build("mnist", 10, normalization="BN").trainable_variables) == 8
    learnable = build("mnist", 10, normalization="BN learnable")
    assert len(learnable.trainable_variables) == 8 + 3 * 2


@pytest.mark.parametrize(
    ("per", "shapes"),
    [
        ("channel", [(1, 1, 1, 20), (1, 1, 1, 50), (1, 500)]),
        ("element", [(1, 24, 24, 20), (1, 8, 8, 50), (1, 500)]),
    ],
)
def test_normalization_is_as_asked(per, shapes):
    model = build(
        "mnist", 10, normalization="BN", normalization_per=per, normalization_alpha=0.25
    )
    norms = layers_of(model, BatchNormalization)
    assert [tuple(norm.moving_mean.shape) for norm in norms] == shapes
    assert [norm.alpha for norm in norms] == [0.25] * 3


@pytest.mark.parametrize("normalization", [None, "BN", "BN learnable"])
@pytest.mark.parametrize("clamped", [None, "Bottom", "Top"])
def test_clamped(clamped, normalization):
    model = build("mnist", 10, normalization=normalization, clamped=clamped)
    *hidden, last = layers_of(model, AsymConv2D, AsymDense, BatchNormalization)
    assert last.trainable == (clamped != "Bottom")
    assert {layer.trainable for layer in hidden} == {clamped != "Top"}
    trainable = [variable.path for variable in model.trainable_variables]
    weights = {id(variable) for variable in last.weights}
    ours = [v.path for v in model.trainable_variables if id(v) in weights]
    match clamped:
        case "Bottom":
            assert ours == []
            assert trainable
        case "Top":
            assert len(ours) == 2
            assert trainable == ours
        case None:
            assert len(ours) == 2
            assert len(trainable) > 2


@pytest.mark.parametrize("feedback", ["BP", "uSF", "NuSF", "brSF", "frSF-25", "RndF"])
def test_every_layer_has_a_rule_of_its_own(feedback):
    layers = layers_of(build("timit", 80, feedback=feedback), AsymDense)
    assert len({id(layer.feedback) for layer in layers}) == len(layers) == 3
    assert {layer.feedback.alias for layer in layers} == {feedback.split("-")[0]}


def test_layers_of_one_shape_do_not_share_random_feedback(monkeypatch):
    monkeypatch.setitem(ARCHITECTURES, "deep", Architecture((4,), (FC(4), FC(4))))
    first, second, third = layers_of(build("deep", 4, feedback="RndF"), AsymDense)
    assert (first.feedback_kernel != second.feedback_kernel).numpy().all()
    assert (second.feedback_kernel != third.feedback_kernel).numpy().all()


def test_kernels_are_initialized_as_asked_and_biases_at_zero():
    model = build("mnist", 10, kernel_initializer="ones")
    for layer in layers_of(model, AsymConv2D, AsymDense):
        assert (layer.kernel.numpy() == 1).all()
        assert (layer.bias.numpy() == 0).all()


def test_a_network_is_one_row_of_data(monkeypatch):
    monkeypatch.setitem(
        ARCHITECTURES,
        "new",
        Architecture((9, 9, 2), (Conv(3, 3, stride=2), Pool("average", 2), FC(5))),
    )
    model = build("new", 7)
    assert [layer.output.shape[1:] for layer in layers_of(model, *POOLINGS)] == [
        (2, 2, 3)
    ]
    assert model.count_params() == conv(3, 2, 3) + fc(2 * 2 * 3, 5) + fc(5, 7)


def test_unknown_network():
    with pytest.raises(UsageError, match=r"unknown architecture 'lenet': .*mnist, "):
        build("lenet", 10)
