import keras
import numpy as np

from keras_asymbp import AsymDense, asymmetrize, feedbacks

W = np.random.default_rng(0).normal(size=(12, 10))


def test_v_is_m_times_the_initial_signs(make_layer, backward_kernel, draw_factor):
    layer = make_layer(feedbacks.InitSignedRandom(flip_probability=0.25, seed=11), W)
    v = np.sign(W) * draw_factor(W.shape, seed=11, flip_probability=0.25)
    np.testing.assert_array_equal(backward_kernel(layer), v)
    layer.kernel.assign(-W)
    np.testing.assert_array_equal(backward_kernel(layer), v)
    np.testing.assert_array_equal(layer.feedback_kernel, v)


def test_frsf_follows_the_signs(make_layer):
    fixed = make_layer(feedbacks.InitSignedRandom(seed=11), W)
    follows = make_layer(feedbacks.FixedRandomSignConcordant(seed=11), W)
    np.testing.assert_array_equal(fixed.feedback_kernel, follows.feedback_kernel)
    for layer in (fixed, follows):
        layer.catch_up_feedback()  # as the first gradient does
        layer.kernel.assign(-W)
    np.testing.assert_array_equal(fixed.feedback_kernel, -follows.feedback_kernel)


def test_reading_v_does_not_fix_the_signs(make_layer):
    layer = make_layer(feedbacks.InitSignedRandom(seed=11), W)
    v = layer.feedback_kernel
    layer.kernel.assign(-W)
    np.testing.assert_array_equal(layer.feedback_kernel, -v)


def test_the_initial_signs_are_those_of_the_converted_model():
    dense = keras.layers.Dense(10, name="dense")
    model = keras.Sequential([keras.Input((12,)), dense])
    dense.kernel.assign(W)
    twin = asymmetrize(model, feedbacks.InitSignedRandom(), print_fn=None)
    v = twin.get_layer("dense").feedback_kernel
    np.testing.assert_array_equal(np.sign(v), np.sign(W))


def test_a_saved_model_keeps_its_initial_signs(tmp_path):
    layer = AsymDense(10, feedback="InitSignedRandom")
    model = keras.Sequential([keras.Input((12,)), layer])
    layer.catch_up_feedback()
    v = np.asarray(layer.feedback_kernel)
    layer.kernel.assign(-layer.kernel)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.layers[0].feedback_kernel, v)
