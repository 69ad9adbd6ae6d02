import numpy as np

from keras_asymbp import feedbacks


def test_v_is_w(make_layer, backward_kernel):
    layer = make_layer(feedbacks.Symmetric())
    np.testing.assert_array_equal(layer.feedback_kernel, layer.kernel)
    np.testing.assert_array_equal(backward_kernel(layer), layer.kernel)


def test_v_follows_w(make_layer, backward_kernel):
    layer = make_layer("BP")
    layer.kernel.assign(-2 * layer.kernel)
    np.testing.assert_array_equal(backward_kernel(layer), layer.kernel)
