import math

import numpy as np
import pytest

from keras_asymbp import (
    AsymConv2D,
    AsymConv2DTranspose,
    AsymDense,
    AsymDepthwiseConv2D,
    AsymEinsumDense,
    AsymSeparableConv2D,
    feedbacks,
)

RULES = [
    feedbacks.UniformSignConcordant,
    feedbacks.BatchwiseRandomSignConcordant,
    feedbacks.FixedRandomSignConcordant,
    feedbacks.InitSignedRandom,
]


def arguments(rule):
    return {} if rule is feedbacks.UniformSignConcordant else {"seed": 3}


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(
    ("scale", "factor"),
    [(None, 1), ("fan_in", 1 / 2), ("init_std", math.sqrt(2 / 3)), (0.25, 0.25)],
)
def test_scale_multiplies_v(rule, scale, factor, make_layer, backward_kernel):
    plain = make_layer(rule(**arguments(rule))).feedback_kernel
    layer = make_layer(rule(**arguments(rule), scale=scale))  # 2 inputs, 3 outputs
    np.testing.assert_allclose(layer.feedback_kernel, plain * factor, rtol=1e-6)
    np.testing.assert_allclose(backward_kernel(layer), plain * factor, rtol=1e-6)
    if scale is None:
        np.testing.assert_array_equal(layer.feedback_kernel, plain)


def test_fan_in_is_nusf(make_layer):
    scaled = make_layer(feedbacks.UniformSignConcordant(scale="fan_in"))
    np.testing.assert_array_equal(
        scaled.feedback_kernel, make_layer("NuSF").feedback_kernel
    )


@pytest.mark.parametrize("scale", ["fan_in", "init_std"])
def test_a_scale_of_the_layer_s_needs_a_layer(scale):
    rule = feedbacks.UniformSignConcordant(scale=scale)
    with pytest.raises(ValueError, match=r"needs `fan_.*`, which the layer that owns"):
        rule(np.ones((2, 3), "float32"))


@pytest.mark.parametrize(
    ("layer", "shape", "outputs"),
    [
        (lambda **more: AsymDense(7, **more), (None, 5), [7]),
        (lambda **more: AsymConv2D(8, (3, 2), **more), (None, 9, 9, 4), [3 * 2 * 8]),
        (
            lambda **more: AsymConv2D(8, (3, 2), groups=2, **more),
            (None, 9, 9, 4),
            [3 * 2 * 8],
        ),
        (
            lambda **more: AsymConv2DTranspose(5, (3, 2), **more),
            (None, 9, 9, 4),
            [3 * 2 * 5],
        ),
        (
            lambda **more: AsymDepthwiseConv2D((3, 2), depth_multiplier=2, **more),
            (None, 9, 9, 4),
            [3 * 2 * 4 * 2],
        ),
        (
            lambda **more: AsymSeparableConv2D(5, (3, 2), **more),
            (None, 9, 9, 4),
            [3 * 2 * 4, 5],
        ),
        (
            lambda **more: AsymEinsumDense("abc,cde->abde", (None, 6, 3), **more),
            (None, 2, 4),
            [6 * 3],
        ),
    ],
)
def test_init_std_depends_on_the_outputs(layer, shape, outputs):
    # He's initializer by fan-out: sqrt(2 / (width x height x output channels)).
    built = layer(feedback=feedbacks.UniformSignConcordant(scale="init_std"))
    built.build(shape)
    for (_, _, v), count in zip(built.feedback_pairs(), outputs, strict=True):
        np.testing.assert_allclose(np.abs(v), math.sqrt(2 / count), rtol=1e-6)


@pytest.mark.parametrize(
    "scale", [0, -1.0, float("nan"), float("inf"), True, "fan_out", (1,)]
)
@pytest.mark.parametrize("rule", RULES)
def test_refuses_an_invalid_scale(rule, scale):
    with pytest.raises(ValueError, match="`scale` must be None, 'fan_in', 'init_std'"):
        rule(scale=scale)


@pytest.mark.parametrize("scale", [2, np.float32(0.5), np.int64(2)])
def test_a_scale_of_any_real_type_is_stored_as_a_float(scale):
    rule = feedbacks.UniformSignConcordant(scale=scale)
    assert type(rule.scale) is float
    assert rule.scale == scale


@pytest.mark.parametrize("rule", RULES)
def test_scale_is_in_the_config_and_none_in_older_configs(rule):
    config = feedbacks.serialize(rule(scale="init_std"))
    assert feedbacks.get(config).scale == "init_std"
    del config["config"]["scale"]
    assert feedbacks.get(config).scale is None
