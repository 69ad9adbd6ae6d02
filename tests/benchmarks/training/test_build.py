import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_asymbp import (
    AsymConv2D,
    AsymDense,
    BatchNormalization,
    BatchStatistics,
)
from keras_asymbp.benchmarks import networks
from keras_asymbp.benchmarks.errors import UsageError
from keras_asymbp.benchmarks.networks import (
    FC,
    NETWORKS,
    TABLE_1,
    Conv,
    GlobalPool,
    Network,
    Pad,
    Pool,
    Residual,
)
from keras_asymbp.benchmarks.training.build import build


def conv(size, channels, filters):
    """Weights and biases of a convolution with size x size filters."""
    return size * size * channels * filters + filters


def fc(inputs, units):
    return inputs * units + units


# Network, number of classes, shape after every layer of Table 1, number of parameters.
PRINTED_TABLE_1 = [
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


@pytest.mark.parametrize(("name", "classes", "shapes", "parameters"), PRINTED_TABLE_1)
def test_table_1(name, classes, shapes, parameters):
    model = build(name, classes)
    printed = layers_of(model, AsymConv2D, AsymDense, *POOLINGS)
    assert [layer.output.shape[1:] for layer in printed] == shapes
    assert model.count_params() == parameters


def test_every_network_of_table_1_is_tested():
    assert {name for name, *_ in PRINTED_TABLE_1} == set(TABLE_1)


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
    # Padding is ignored; for the maximum after a ReLU, zeros are equivalent.
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


def test_only_learnable_normalization_has_parameters():
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
def test_normalization_settings(per, shapes):
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


@pytest.mark.parametrize("normalization", ["BN", "BN learnable"])
@pytest.mark.parametrize("name", ["mnist", "resnet-20"])
def test_all_normalizations_use_batch_statistics(name, normalization):
    for clamped in (None, "Bottom", "Top"):
        model = build(name, 10, normalization=normalization, clamped=clamped)
        norms = layers_of(model, BatchNormalization)
        assert norms
        assert all(norm.uses_batch_statistics for norm in norms)


@pytest.mark.parametrize("normalization", ["BN", "BN learnable"])
def test_top_normalizes_by_the_batch_in_training(normalization, monkeypatch):
    monkeypatch.setitem(NETWORKS, "deep", Network((4,), (FC(5), FC(6))))
    models = []
    for clamped in (None, "Top"):
        keras.utils.set_random_seed(1)
        models.append(build("deep", 3, normalization=normalization, clamped=clamped))
    x = 2 + 3 * np.random.default_rng(0).normal(size=(20, 4)).astype("float32")
    free, top = models
    np.testing.assert_array_equal(top(x, training=True), free(x, training=True))
    for ours, theirs in zip(top.variables, free.variables, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    first, norm, *_ = top.layers
    hidden = first(x).numpy()
    np.testing.assert_allclose(norm.moving_mean, 0.05 * hidden.mean(0)[None], 1e-4)
    normalized = norm(hidden, training=True).numpy()
    np.testing.assert_allclose(normalized.mean(0), np.zeros(5), atol=1e-5)
    np.testing.assert_allclose(normalized.std(0), np.ones(5), rtol=1e-4)

    # BatchStatistics recomputes the averages, and only the last layer learns.
    start = {v.path: v.numpy() for v in top.variables}
    top.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    y = np.arange(20) % 3
    statistics = BatchStatistics(tf.data.Dataset.from_tensors(x))
    top.fit(x, y, validation_data=(x, y), callbacks=[statistics], verbose=0)
    np.testing.assert_allclose(norm.moving_mean, hidden.mean(0)[None], rtol=1e-4)
    stddev = np.sqrt(hidden.var(0) + norm.epsilon)[None]
    np.testing.assert_allclose(norm.moving_stddev, stddev, rtol=1e-4)
    moved = {
        v.path for v in top.variables if not np.array_equal(v.numpy(), start[v.path])
    }
    averages = {
        v.path
        for norm in layers_of(top, BatchNormalization)
        for v in (norm.moving_mean, norm.moving_stddev)
    }
    assert moved == averages | {v.path for v in top.layers[-1].trainable_weights}


@pytest.mark.parametrize("feedback", ["BP", "uSF", "NuSF", "brSF", "frSF-25", "RndF"])
def test_every_layer_has_its_own_rule(feedback):
    layers = layers_of(build("timit", 80, feedback=feedback), AsymDense)
    assert len({id(layer.feedback) for layer in layers}) == len(layers) == 3
    assert {layer.feedback.alias for layer in layers} == {feedback.split("-")[0]}


def test_layers_of_one_shape_do_not_share_random_feedback(monkeypatch):
    monkeypatch.setitem(NETWORKS, "deep", Network((4,), (FC(4), FC(4))))
    first, second, third = layers_of(build("deep", 4, feedback="RndF"), AsymDense)
    assert (first.feedback_kernel != second.feedback_kernel).numpy().all()
    assert (second.feedback_kernel != third.feedback_kernel).numpy().all()


def test_kernels_have_the_initializer_and_biases_start_at_zero():
    model = build("mnist", 10, kernel_initializer="ones")
    for layer in layers_of(model, AsymConv2D, AsymDense):
        assert (layer.kernel.numpy() == 1).all()
        assert (layer.bias.numpy() == 0).all()


def test_a_network_is_one_row_of_data(monkeypatch):
    monkeypatch.setitem(
        NETWORKS,
        "new",
        Network((9, 9, 2), (Conv(3, 3, stride=2), Pool("average", 2), FC(5))),
    )
    model = build("new", 7)
    assert [layer.output.shape[1:] for layer in layers_of(model, *POOLINGS)] == [
        (2, 2, 3)
    ]
    assert model.count_params() == conv(3, 2, 3) + fc(2 * 2 * 3, 5) + fc(5, 7)


def test_unknown_network():
    with pytest.raises(
        UsageError, match=r"unknown architecture 'lenet': .*lenet-mnist"
    ):
        build("lenet", 10)


def stages(shortcuts):
    """Parameters of residual blocks, without biases and with normalization."""
    total = 0
    for inputs, filters, blocks in shortcuts:
        total += 9 * inputs * filters + 9 * filters * filters + 2 * 2 * filters
        total += (blocks - 1) * (2 * 9 * filters * filters + 2 * 2 * filters)
    return total


def projections(*pairs):
    return sum(inputs * filters + 2 * filters for inputs, filters in pairs)


# Trained parameters, computed by hand and as published (He et al. 2016, torchvision).
OTHERS = [
    (
        "lenet-mnist",
        10,
        conv(5, 1, 6) + conv(5, 6, 16) + conv(5, 16, 120) + fc(120, 84) + fc(84, 10),
        "0.06",
    ),
    (
        "lenet-cifar",
        10,
        conv(3, 3, 32)
        + conv(3, 32, 64)
        + conv(3, 64, 128)
        + fc(128, 256)
        + fc(256, 10),
        "0.13",
    ),
    *(
        (
            name,
            10,
            9 * 3 * 16
            + 2 * 16
            + stages([(16, 16, n), (16, 32, n), (32, 64, n)])
            + fc(64, 10),
            millions,
        )
        for name, n, millions in (("resnet-20", 3, "0.27"), ("resnet-56", 9, "0.85"))
    ),
    (
        "resnet-18",
        1000,
        49 * 3 * 64
        + 2 * 64
        + stages([(64, 64, 2), (64, 128, 2), (128, 256, 2), (256, 512, 2)])
        + projections((64, 128), (128, 256), (256, 512))
        + fc(512, 1000),
        "11.69",
    ),
    (
        "alexnet",
        1000,
        conv(11, 3, 64)
        + conv(5, 64, 192)
        + conv(3, 192, 384)
        + conv(3, 384, 256)
        + conv(3, 256, 256)
        + fc(6 * 6 * 256, 4096)
        + fc(4096, 4096)
        + fc(4096, 1000),
        "61.10",
    ),
]


@pytest.mark.parametrize(("name", "classes", "parameters", "millions"), OTHERS)
def test_networks_beyond_table_1(name, classes, parameters, millions):
    model = build(name, classes, feedback="uSF")
    trained = sum(int(np.prod(v.shape)) for v in model.trainable_variables)
    assert trained == parameters
    assert f"{trained / 1e6:.2f}" == millions
    assert model.input_shape[1:] == networks.get(name).input_shape
    assert model.output_shape == (None, classes)


def test_a_column_overrides_a_residual_networks_own_normalization():
    own = layers_of(build("resnet-20", 10), BatchNormalization)
    assert len(own) == 19
    assert all(norm.learnable for norm in own)
    given = layers_of(build("resnet-20", 10, normalization="BN"), BatchNormalization)
    assert not any(norm.learnable for norm in given)
    assert layers_of(build("lenet-mnist", 10), BatchNormalization) == []


@pytest.mark.parametrize("projection", [False, True])
@pytest.mark.parametrize(("stride", "filters"), [(1, 2), (2, 5), (1, 4)])
def test_a_residual_block(stride, filters, projection, monkeypatch):
    """Against its formula: relu(conv(relu(conv(x))) + shortcut)."""
    block = Residual(filters, stride, projection)
    monkeypatch.setitem(NETWORKS, "block", Network((6, 6, 2), (block, GlobalPool())))
    model = build("block", 3)
    convs = layers_of(model, AsymConv2D)
    for layer in convs:
        layer.bias.assign(np.random.default_rng(0).normal(size=layer.bias.shape))
    x = np.random.default_rng(1).normal(size=(4, 6, 6, 2)).astype("float32")

    def convolve(x, layer, stride):
        # PyTorch's padding: one pixel on each side.
        padded = np.pad(x, [(0, 0), (1, 1), (1, 1), (0, 0)])
        return keras.ops.conv(padded, layer.kernel, stride, "valid") + layer.bias

    first, second = [layer for layer in convs if layer.kernel_size == (3, 3)]
    shortcuts = [layer for layer in convs if layer.kernel_size == (1, 1)]
    inner = np.maximum(convolve(x, first, stride), 0)
    shortcut = x[:, ::stride, ::stride]
    changes = stride > 1 or filters != 2
    if changes and projection:
        (layer,) = shortcuts
        shortcut = shortcut @ layer.kernel.numpy()[0, 0] + layer.bias
    else:
        assert shortcuts == []
        more = filters - 2
        maps = (more // 2, more - more // 2)
        shortcut = np.pad(shortcut, [(0, 0), (0, 0), (0, 0), maps])
    expected = np.maximum(convolve(inner, second, 1) + shortcut, 0).mean((1, 2))
    below = keras.Model(model.inputs[0], model.layers[-1].input)
    np.testing.assert_allclose(below(x), expected, rtol=1e-4, atol=1e-4)


def test_zero_padding_on_each_side(monkeypatch):
    monkeypatch.setitem(NETWORKS, "padded", Network((5, 5, 2), (Pad(2), Conv(3, 5))))
    assert layers_of(build("padded", 3), AsymConv2D)[0].output.shape[1:] == (5, 5, 3)


def test_what_is_no_row_is_refused(monkeypatch):
    monkeypatch.setitem(NETWORKS, "odd", Network((4,), ("Conv 5x5",)))
    with pytest.raises(TypeError, match="no rows such as 'Conv 5x5'"):
        build("odd", 3)


@pytest.mark.parametrize("clamped", [None, "Bottom", "Top"])
def test_a_residual_network_is_clamped_like_others(clamped):
    model = build("resnet-20", 10, clamped=clamped)
    *hidden, last = layers_of(model, AsymConv2D, AsymDense, BatchNormalization)
    assert last.trainable == (clamped != "Bottom")
    assert {layer.trainable for layer in hidden} == {clamped != "Top"}


@pytest.mark.parametrize("clamped", [None, "Bottom", "Top"])
def test_a_model_of_keras_applications(clamped):
    model = build("MobileNet", 7, feedback="uSF", clamped=clamped)
    stock = keras.applications.MobileNet(
        weights=None, classes=7, classifier_activation=None
    )
    assert model.output_shape == (None, 7)
    assert model.count_params() == stock.count_params()
    asymmetric = [layer for layer in model.layers if hasattr(layer, "feedback")]
    assert {layer.feedback.alias for layer in asymmetric} == {"uSF"}
    assert len(asymmetric) == 28
    *hidden, last = [layer for layer in model.layers if layer.weights]
    assert last.trainable == (clamped != "Bottom")
    assert {layer.trainable for layer in hidden} == {clamped != "Top"}


def test_direct_feedback_converts_the_whole_model():
    keras.utils.set_random_seed(3)
    plain = build("resnet-20", 10)
    keras.utils.set_random_seed(3)
    model = build("resnet-20", 10, feedback="DFA")
    matrices = model.get_layer("direct_feedback").weights
    assert len(matrices) == 19  # one for each of the 20 layers except the first
    assert {matrix.shape[0] for matrix in matrices} == {10}
    x = np.random.default_rng(0).normal(size=(2, 32, 32, 3)).astype("float32")
    np.testing.assert_allclose(model(x), plain(x), rtol=1e-5, atol=1e-5)
    assert model.get_layer("direct_feedback").signal == "error"
    targets = build("lenet-mnist", 10, feedback="DRTP")
    assert targets.get_layer("direct_feedback").signal == "softmax_target"


def test_a_sign_based_rule_is_scaled():
    model = build("lenet-mnist", 10, feedback="uSF", scale="init_std")
    first = layers_of(model, AsymConv2D)[0]
    np.testing.assert_allclose(
        np.abs(first.feedback_kernel), np.sqrt(2 / (5 * 5 * 6)), rtol=1e-6
    )
    rules = [layer.feedback for layer in layers_of(model, AsymConv2D, AsymDense)]
    assert len({id(rule) for rule in rules}) == 5
