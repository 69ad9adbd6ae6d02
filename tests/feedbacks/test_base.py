import keras
import numpy as np
import pytest

from keras_asymbp import AsymDense, feedbacks
from keras_asymbp.feedbacks.base import sign


class Halved(feedbacks.Feedback):
    """A custom rule with one method."""

    def call(self, kernel):
        return 0.5 * kernel


@keras.saving.register_keras_serializable("keras_asymbp_tests")
class Shifted(feedbacks.Feedback):
    """A custom rule with an argument and state."""

    def __init__(self, shift, **kwargs):
        super().__init__(**kwargs)
        self.shift = shift

    def build(self, kernel_shape):
        self.offset = self.add_weight(
            shape=kernel_shape, initializer="random_normal", trainable=False
        )
        super().build(kernel_shape)

    def call(self, kernel):
        return kernel + self.shift * self.offset

    def get_config(self):
        return super().get_config() | {"shift": self.shift}


def test_sign_of_zero_is_zero():
    values = np.array([-2.0, -0.0, 0.0, 1e-30, 3.0], "float32")
    np.testing.assert_array_equal(sign(values), [-1, 0, 0, 1, 1])


def test_a_rule_of_one_method(make_layer, backward_kernel):
    layer = make_layer(Halved())
    np.testing.assert_array_equal(backward_kernel(layer), layer.kernel.numpy() / 2)
    np.testing.assert_array_equal(layer.feedback_kernel, layer.kernel.numpy() / 2)


def test_a_rule_without_call_is_refused(make_layer, backward_kernel):
    class Empty(feedbacks.Feedback):
        pass

    with pytest.raises(NotImplementedError, match=r"Empty must implement `call"):
        backward_kernel(make_layer(Empty()))


@pytest.mark.parametrize(
    ("rule", "custom_objects"), [(Halved(), {"Halved": Halved}), (Shifted(3.0), None)]
)
def test_a_custom_rule_is_saved_and_loaded(
    rule, custom_objects, tmp_path, backward_kernel
):
    model = keras.Sequential([keras.Input((4,)), AsymDense(3, feedback=rule)])
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(
        tmp_path / "model.keras", custom_objects=custom_objects
    )
    assert type(loaded.layers[0].feedback) is type(rule)
    np.testing.assert_array_equal(
        backward_kernel(loaded.layers[0]), backward_kernel(model.layers[0])
    )


@pytest.mark.parametrize("seed", [-1, "a"])
def test_a_sibling_of_a_custom_rule_needs_a_seed_in_range(seed):
    class Seeded(Halved):
        def get_config(self):
            return super().get_config() | {"seed": seed}

    with pytest.raises(ValueError, match=f"`seed` must be .* Received: seed={seed!r}"):
        Seeded().sibling(1)


def test_state_without_a_redraw_is_constant(make_layer):
    layer = make_layer(Shifted(1.0))
    before = layer.feedback_kernel
    layer.feedback.redraw(layer.kernel, updates=3)
    np.testing.assert_array_equal(layer.feedback_kernel, before)


DTYPES = ["mixed_float16", "mixed_bfloat16", "float64"]
if keras.backend.backend() == "jax":
    DTYPES.remove("float64")  # which JAX has on request only


@pytest.mark.parametrize("dtype", DTYPES)
def test_rules_read_the_stored_w(dtype, make_layer, backward_kernel):
    seen = []

    class Spy(feedbacks.Feedback):
        def call(self, kernel):
            seen.append((keras.backend.standardize_dtype(kernel.dtype), self.fan_in))
            return kernel

    layer = make_layer(Spy(), dtype=dtype)
    backward_kernel(layer)
    assert set(seen) == {(layer.variable_dtype, 2)}


@pytest.mark.parametrize("saved", ["uSF", "frSF", "brSF", "KP", "RndF"])
def test_weights_of_another_rule_are_refused(saved, tmp_path):
    def make_model(rule):
        return keras.Sequential([keras.Input((3,)), AsymDense(2, feedback=rule)])

    path = tmp_path / "model.weights.h5"
    make_model(saved).save_weights(path)
    make_model(saved).load_weights(path)
    rules = ["uSF", "frSF", "brSF", "KP", "WM", "PAL", "RndF"]
    for rule in [each for each in rules if each != saved]:
        with pytest.raises(ValueError, match=r"Expected the state of rule .*symmetr"):
            make_model(rule).load_weights(path)


def test_weights_of_another_rule_without_state_are_loaded(tmp_path):
    layers = [AsymDense(2, feedback=rule) for rule in ("uSF", "NuSF")]
    models = [keras.Sequential([keras.Input((3,)), layer]) for layer in layers]
    models[0].save_weights(tmp_path / "model.weights.h5")
    models[1].load_weights(tmp_path / "model.weights.h5")
    np.testing.assert_array_equal(layers[1].kernel, layers[0].kernel)


def test_state_is_stored_by_number_in_files_of_earlier_versions(make_layer):
    layer, loaded = make_layer("RndF"), make_layer("RndF")
    loaded.feedback.load_own_variables({"0": layer.feedback_kernel})
    np.testing.assert_array_equal(loaded.feedback_kernel, layer.feedback_kernel)
