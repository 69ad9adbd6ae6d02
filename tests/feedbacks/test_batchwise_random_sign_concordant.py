"""The rule alone; in training see `tests/callbacks/test_redraw_feedback.py`."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_asymbp import feedbacks

SEED = 11


def brsf(p=0):
    return feedbacks.BatchwiseRandomSignConcordant(flip_probability=p, seed=SEED)


@pytest.fixture(params=[0, 0.25])
def p(request):
    return request.param


def test_each_redraw_is_the_next_draw(p, make_layer, backward_kernel, draw_factor):
    layer = make_layer(brsf(p))
    signs = np.sign(layer.kernel)
    for draw in range(3):
        v = signs * draw_factor((2, 3), SEED, draw, p)
        np.testing.assert_array_equal(layer.feedback_kernel, v)
        np.testing.assert_array_equal(backward_kernel(layer), v)
        layer.feedback.redraw(layer.kernel)


def test_a_redraw_for_several_updates_and_for_none(make_layer, draw_factor):
    layer = make_layer(brsf())
    signs = np.sign(layer.kernel)
    layer.feedback.redraw(layer.kernel, updates=5)
    np.testing.assert_array_equal(
        layer.feedback_kernel, signs * draw_factor((2, 3), SEED, 5)
    )
    layer.feedback.redraw(layer.kernel, updates=ops.array(0))
    np.testing.assert_array_equal(
        layer.feedback_kernel, signs * draw_factor((2, 3), SEED, 5)
    )


def test_gradients_of_the_same_w_share_one_m(make_layer, backward_kernel):
    layer = make_layer(brsf())
    first = backward_kernel(layer)
    for _ in range(3):
        np.testing.assert_array_equal(backward_kernel(layer), first)
        np.testing.assert_array_equal(layer.feedback_kernel, first)


def test_without_a_redraw_a_change_of_w_redraws(
    make_layer, backward_kernel, draw_factor
):
    layer = make_layer(brsf())
    backward_kernel(layer)
    for draw in (1, 2):
        layer.kernel.assign_add(np.full((2, 3), 0.01))
        v = np.sign(layer.kernel) * draw_factor((2, 3), SEED, draw)
        np.testing.assert_array_equal(backward_kernel(layer), v)


def test_a_redraw_and_a_change_of_w_are_one_draw(
    make_layer, backward_kernel, draw_factor
):
    layer = make_layer(brsf())
    for draw in range(3):
        v = np.sign(layer.kernel) * draw_factor((2, 3), SEED, draw)
        np.testing.assert_array_equal(backward_kernel(layer), v)
        layer.kernel.assign_add(np.full((2, 3), 0.01))
        layer.feedback.redraw(layer.kernel)


def test_initializing_w_before_the_first_gradient_draws_nothing(
    make_layer, backward_kernel, draw_factor
):
    layer = make_layer(brsf())
    layer.kernel.assign(np.full((2, 3), 0.5))
    np.testing.assert_array_equal(
        backward_kernel(layer), draw_factor((2, 3), SEED, draw=0)
    )


def test_forward_passes_change_no_state(make_layer):
    layer = make_layer(brsf())
    [before] = layer.feedback.get_weights()
    layer(np.ones((1, 2)))
    if keras.backend.backend() == "tensorflow":  # on JAX, training takes note of V
        import tensorflow as tf

        layer(np.ones((1, 2)), training=True)
        tf.function(lambda x: layer(x, training=True))(tf.ones((1, 2)))
    np.testing.assert_array_equal(layer.feedback.get_weights(), [before])


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="uses TensorFlow's functions"
)
@pytest.mark.parametrize("jit_compile", [False, True])
def test_m_in_graphs_matches_eager_code(p, jit_compile, make_layer, draw_factor):
    import tensorflow as tf

    layer = make_layer(brsf(p))

    @tf.function(jit_compile=jit_compile)
    def step():
        with tf.GradientTape() as tape:
            x = tf.ones((3, 2))
            tape.watch(x)
            y = layer(x)
        dx = tape.gradient(y, x, tf.eye(3))
        layer.feedback.redraw(layer.kernel)
        return tf.transpose(dx)

    for draw in range(3):
        v = np.sign(layer.kernel) * draw_factor((2, 3), SEED, draw, p)
        np.testing.assert_array_equal(step(), v)


def test_draws_are_independent(make_layer):
    layer = make_layer(brsf(), np.ones((100, 100)))
    draws = []
    for _ in range(3):
        draws.append(np.ravel(layer.feedback_kernel))
        layer.feedback.redraw(layer.kernel)
    off_diagonal = np.corrcoef(draws) - np.eye(3)
    assert np.abs(off_diagonal).max() < 0.05


def test_the_state_is_small(make_layer):
    (state,) = make_layer(brsf(), np.ones((100, 100))).non_trainable_weights
    assert state.shape == (3,)
