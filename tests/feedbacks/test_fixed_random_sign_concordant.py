import numpy as np

from keras_asymbp import feedbacks


def test_m_is_fixed_while_the_sign_follows_w(make_layer, backward_kernel):
    layer = make_layer("frSF")
    m = np.abs(backward_kernel(layer))
    [factor] = layer.feedback.get_weights()
    m[0, 2] = np.abs(factor[0, 2])  # which V doesn't show: the weight is zero
    for kernel in np.random.default_rng(0).normal(size=(3, *m.shape)):
        layer.kernel.assign(kernel)
        np.testing.assert_array_equal(backward_kernel(layer), m * np.sign(kernel))


def test_flips_are_fixed(make_layer, backward_kernel):
    layer = make_layer("frSF-50", np.ones((6, 6)))
    before = backward_kernel(layer)
    layer.kernel.assign(-np.ones((6, 6)))
    assert (before > 0).any()
    assert (before < 0).any()
    np.testing.assert_array_equal(backward_kernel(layer), -before)


def test_the_factor_is_not_trainable(make_layer):
    layer = make_layer(feedbacks.FixedRandomSignConcordant())
    assert [w.name for w in layer.trainable_weights] == ["kernel", "bias"]
    assert [w.shape for w in layer.non_trainable_weights] == [(2, 3)]
