"""`check_feedback` passes rules that keep the contract, and names broken checks."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_asymbp import feedbacks, random, testing

DENSE = ["AsymDense"]

# There V is computed in the forward pass.
ON_JAX = keras.backend.backend() == "jax"
only_tensorflow = pytest.mark.skipif(ON_JAX, reason="JAX has no replicas")


@keras.saving.register_keras_serializable("keras_asymbp_tests")
class Blurred(feedbacks.Feedback):
    """A good rule, with an argument, a seed and state."""

    def __init__(self, scale, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.scale = scale
        self.seed = seed
        self.first_seed = random.resolve_seed(seed)

    def build(self, kernel_shape):
        self.noise = self.add_weight(
            shape=kernel_shape,
            initializer=lambda shape, dtype: ops.cast(
                random.normal(shape, self.first_seed, self.scale), dtype
            ),
            trainable=False,
        )
        super().build(kernel_shape)

    def call(self, kernel):
        return kernel + self.noise

    def get_config(self):
        return super().get_config() | {"scale": self.scale, "seed": self.seed}


class Halved(feedbacks.Feedback):
    """A good rule of one method, which isn't registered."""

    def call(self, kernel):
        return 0.5 * kernel


def checks():
    return [*testing.CHECKS, "export"]


@pytest.mark.parametrize(
    "rule",
    [
        Blurred(2.0),
        Blurred(2.0, seed=3),
        lambda: Blurred(0.5),
        Halved,
        Halved(),
        None,
        feedbacks.serialize(feedbacks.FixedRandom(seed=1)),
    ],
    ids=["state", "seed", "factory", "class", "unregistered", "None", "config"],
)
def test_a_good_rule_passes(rule):
    ran = testing.check_feedback(rule, DENSE, list(testing.CHECKS))
    assert ran == list(testing.CHECKS)


def test_a_good_rule_passes_everything():
    # "replicas" needs two logical CPUs, and isn't among the checks that ran.
    assert testing.check_feedback(Blurred(0.5), DENSE) == checks()


@pytest.mark.slow
def test_a_good_rule_passes_on_every_layer():
    assert testing.check_feedback(Blurred(2.0)) == checks()


def test_the_given_rule_is_unchanged():
    rule = Blurred(2.0)
    testing.check_feedback(rule, DENSE, ["gradients", "fit"])
    assert not rule.built
    assert not rule.variables


@only_tensorflow
@pytest.mark.slow
def test_two_replicas(run_python):
    run_python("""if True:
        from keras_asymbp import feedbacks, testing
        testing.use_two_cpus()
        class Halved(feedbacks.Feedback):
            def call(self, kernel):
                return 0.5 * kernel
        assert "replicas" in testing.check_feedback(Halved(), ["AsymConv2D"])
    """)


# --------------------------------------------------------------- broken rules


class Transposed(Halved):
    def call(self, kernel):
        return ops.transpose(kernel)


class Infinite(Halved):
    def call(self, kernel):
        return kernel / ops.zeros(())


class Fickle(Halved):
    """Redraws in each call."""

    def call(self, kernel):
        return keras.random.normal(kernel.shape)


class Counting(Halved):
    """Counts its calls, so that each gradient changes it."""

    def build(self, kernel_shape):
        self.calls = self.add_weight(shape=(), initializer="zeros", trainable=False)
        super().build(kernel_shape)

    def call(self, kernel):
        self.calls.assign_add(1.0)
        return kernel * self.calls


class Forgetful(Halved):
    """Its config lacks an argument."""

    def __init__(self, scale=2.0, **kwargs):
        super().__init__(**kwargs)
        self.scale = scale

    def call(self, kernel):
        return self.scale * kernel

    def get_config(self):
        return super().get_config()


class Needy(Forgetful):
    """The same, and the argument is required."""

    def __init__(self, scale, **kwargs):
        super().__init__(scale, **kwargs)


class Unsaved(Halved):
    """Its state is not a variable."""

    def build(self, kernel_shape):
        noise = np.random.normal(size=kernel_shape)
        self.noise = ops.convert_to_tensor(noise, "float32")
        super().build(kernel_shape)

    def call(self, kernel):
        return ops.cast(self.noise, kernel.dtype)


class Unseeded(Halved):
    """It ignores Keras's seed."""

    generator = np.random.default_rng()

    def build(self, kernel_shape):
        self.noise = self.add_weight(
            shape=kernel_shape,
            initializer=lambda shape, dtype: self.generator.normal(size=shape),
            trainable=False,
        )
        super().build(kernel_shape)

    def call(self, kernel):
        return self.noise


class Trained(Halved):
    """Its state is trainable, so an optimizer would change it."""

    def build(self, kernel_shape):
        self.noise = self.add_weight(shape=kernel_shape)
        super().build(kernel_shape)

    def call(self, kernel):
        return kernel + self.noise


class Meddling(Halved):
    """Changes W."""

    def call(self, kernel):
        kernel.assign(0.5 * kernel.value)
        return ops.sign(kernel)


class Pretending(Halved):
    """Claims that V is W, so that its V is never used."""

    symmetric = True


class Rounding(Halved):
    """V in half precision."""

    def call(self, kernel):
        return ops.cast(ops.cast(kernel, "float16"), kernel.dtype)


class Eager(Halved):
    """Works outside of compiled functions only."""

    def call(self, kernel):
        return ops.convert_to_tensor(0.5 * kernel.numpy())


@pytest.mark.parametrize(
    ("rule", "check", "reason"),
    [
        (Transposed(), "shapes", "shape"),
        (Infinite(), "shapes", "finite"),
        (Fickle(), "repeatable", "V, read again"),
        (Counting(), "repeatable", "forward pass" if ON_JAX else "V, read again"),
        (Forgetful(3.0), "config", "lacks 'scale'"),
        (Needy(3.0), "config", "scale"),
        (Unsaved(), "clone", "V, after `set_weights`,"),
        (Unseeded(), "seeds", "V of the same global seed"),
        (Trained(), "shapes", "trainable=False"),
        # On JAX a rule gets W's value, not the variable.
        (Meddling(), "shapes", "assign")
        if ON_JAX
        else (Meddling(), "repeatable", "W, which a rule must leave alone"),
        (Pretending(), "gradients", "dE/dX"),
        (Eager(), "shapes", "numpy") if ON_JAX else (Eager(), "modes", "numpy"),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, str) else value,
)
def test_a_broken_rule_fails_by_name(rule, check, reason):
    with pytest.raises(AssertionError) as error:
        testing.check_feedback(rule, DENSE, list(testing.CHECKS))
    message = str(error.value)
    name = type(rule).__name__
    assert message.startswith(f"Check '{check}' of AsymDense with {name}: "), message
    assert reason in message


class Variables(Halved):
    """Its variables end up in an export."""

    def build(self, kernel_shape):
        self.noise = self.add_weight(shape=kernel_shape, trainable=False)
        super().build(kernel_shape)

    @property
    def variables(self):
        return [self.noise]


def test_unexpected_variables_in_an_export_are_found():
    with pytest.raises(AssertionError, match=r"Check 'export'.*variables are not"):
        testing.check_feedback(Variables(), DENSE, ["export"])


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("layers", ["Dense"]),
        ("layers", "AsymDense"),
        ("layers", 5),
        ("layers", [["AsymDense"]]),
        ("checks", ["gradient"]),
        ("checks", "gradients"),
    ],
)
def test_unknown_names_are_refused(argument, value):
    with pytest.raises(ValueError, match=f"Argument `{argument}` must be a list of"):
        testing.check_feedback("uSF", **{argument: value})


@only_tensorflow
def test_replicas_need_two_cpus():
    with pytest.raises(RuntimeError, match="use_two_cpus"):
        testing.check_feedback("uSF", DENSE, ["replicas"])


def test_two_cpus_are_for_tensorflow(monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(RuntimeError, match="for the TensorFlow backend"):
        testing.use_two_cpus()


def test_it_is_not_imported_with_the_package(run_python):
    run_python(
        "import sys, keras_asymbp\n"
        "assert 'keras_asymbp.testing' not in sys.modules\n"
        "import keras_asymbp.testing\n"
        "assert 'pytest' not in sys.modules\n"
    )
