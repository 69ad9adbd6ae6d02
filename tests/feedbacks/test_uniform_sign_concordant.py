import numpy as np

from keras_asymbp import feedbacks


def test_v_is_the_sign_of_w(make_layer, backward_kernel):
    layer = make_layer(feedbacks.UniformSignConcordant())
    v = [[1, -1, 0], [-1, 1, 1]]  # sign(0) = 0
    np.testing.assert_array_equal(layer.feedback_kernel, v)
    np.testing.assert_array_equal(backward_kernel(layer), v)


def test_v_follows_w(make_layer, backward_kernel):
    layer = make_layer("uSF")
    layer.kernel.assign([[-9, 0, 1e-30], [-0.0, 1, -1]])
    np.testing.assert_array_equal(backward_kernel(layer), [[-1, 0, 1], [0, 1, -1]])


def test_small_weights_keep_their_sign_in_half_precision(make_layer):
    # float16 would round 1e-9 to 0.
    layer = make_layer("uSF", [[1e-9, -1e-9]], dtype="mixed_float16")
    np.testing.assert_array_equal(layer.feedback_kernel, [[1, -1]])
