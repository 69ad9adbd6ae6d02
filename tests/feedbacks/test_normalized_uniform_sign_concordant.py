import numpy as np
import pytest

from keras_asymbp import AsymConv2D, feedbacks


def test_v_is_the_sign_of_w_over_the_inputs(make_layer, backward_kernel):
    layer = make_layer(feedbacks.NormalizedUniformSignConcordant())
    v = np.array([[1, -1, 0], [-1, 1, 1]]) / 2
    np.testing.assert_array_equal(layer.feedback_kernel, v)
    np.testing.assert_array_equal(backward_kernel(layer), v)


@pytest.mark.parametrize(
    ("groups", "inputs_of_a_filter"), [(1, 3 * 2 * 4), (2, 3 * 2 * 2), (4, 3 * 2)]
)
def test_fan_in_of_a_convolution(groups, inputs_of_a_filter):
    # Width x height x input channels of one group, whatever the number of filters.
    layer = AsymConv2D(8, (3, 2), groups=groups, feedback="NuSF")
    layer.build((None, 9, 9, 4))
    expected = np.sign(layer.kernel.numpy()) / inputs_of_a_filter
    np.testing.assert_allclose(layer.feedback_kernel, expected, rtol=1e-6)


def test_the_inputs_of_a_filter_are_the_layer_s():
    rule = feedbacks.get("NuSF")
    with pytest.raises(ValueError, match="needs `fan_in`, which the layer that owns"):
        rule(np.ones((2, 3), "float32"))
