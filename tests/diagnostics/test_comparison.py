"""Each measure by NumPy's formulas; backpropagation compared with itself."""

import keras
import numpy as np
import pytest

from keras_asymbp import AsymDense, AsymSeparableConv2D, metrics, symmetrize
from keras_asymbp.diagnostics import comparison, diagnose, linear_cka
from keras_asymbp.feedbacks import Feedback

RNG = np.random.default_rng(0)
X = RNG.normal(size=(8, 4)).astype("float32")
T = RNG.normal(size=(8, 3)).astype("float32")


class Scaled(Feedback):
    """V = 3 W."""

    def call(self, kernel):
        return 3 * kernel


def perceptron(feedback, hidden=("first", "second"), activation="tanh"):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((4,))])
    for name in hidden:
        model.add(AsymDense(5, activation, feedback=feedback(), name=name))
    model.add(AsymDense(3, feedback=feedback(), name="logits"))
    model.compile("sgd", "mse")
    return model


def arrays(model, attribute):
    return [
        keras.ops.convert_to_numpy(getattr(layer, attribute)).astype(float)
        for layer in model.layers
    ]


def by_numpy(model, backward):
    """Returns the N, errors and gradients of the layers, for their V, from first on."""
    xs, ns = [X.astype(float)], []
    for w, b in zip(arrays(model, "kernel"), arrays(model, "bias"), strict=True):
        ns.append(xs[-1] @ w + b)
        xs.append(np.tanh(ns[-1]))
    errors = [2 * (ns[-1] - T) / T.size]
    for v, h in zip(backward[:0:-1], xs[-2:0:-1], strict=True):
        errors.insert(0, errors[0] @ v.T * (1 - h**2))
    return ns, errors, [x.T @ e for x, e in zip(xs, errors, strict=False)]


def test_every_measure_by_numpy():
    model = perceptron(lambda: "RndF")
    ns, *found = by_numpy(model, arrays(model, "feedback_kernel"))
    _, *reference = by_numpy(model, arrays(model, "kernel"))
    measures = diagnose(model, [(X[:3], T[:3]), (X[3:], T[3:])])
    assert list(measures) == ["first", "second", "logits"]

    # The loss is a mean: of three examples, then of five.
    weight = np.repeat([8 / 3, 8 / 5], [3, 5])[:, None]
    parts = zip(measures, ns, *found, *reference, strict=True)
    xs = [X, *(np.tanh(n) for n in ns)]
    for x, (name, n, e, _, e_bp, _) in zip(xs, parts, strict=False):
        e, e_bp = e * weight, e_bp * weight
        g, g_bp = x.T @ e, x.T @ e_bp
        ranks = []
        for error in (e, e_bp):
            p = np.linalg.svd(error, compute_uv=False)
            ranks.append(np.prod((p / p.sum()) ** -(p / p.sum())))
        norm = np.linalg.norm
        cosine = np.sum(g * g_bp) / norm(g) / norm(g_bp)
        expected = {
            "preactivation_rms": np.sqrt(np.mean(n**2)),
            "error_rms": np.sqrt(np.mean(e**2)),
            "bp_error_rms": np.sqrt(np.mean(e_bp**2)),
            "error_cosine": np.sum(e * e_bp) / norm(e) / norm(e_bp),
            "error_norm_ratio": norm(e) / norm(e_bp),
            "error_effective_rank": ranks[0],
            "bp_error_effective_rank": ranks[1],
            "gradient_angle": np.degrees(np.arccos(cosine)) if cosine < 1 - 1e-9 else 0,
            "gradient_cosine": cosine,
            "gradient_norm_ratio": norm(g) / norm(g_bp),
            "gradient_relative_error": norm(g - g_bp) / norm(g_bp),
            "gradient_decrease": np.sum(g * g_bp) / norm(g_bp) ** 2,
        }
        assert measures[name] == pytest.approx(expected, rel=1e-4, abs=1e-6)
    assert measures["first"]["error_cosine"] < 0.9
    angles = metrics.gradient_angles(model, [(X[:3], T[:3]), (X[3:], T[3:])])
    for name, angle in angles.items():
        assert measures[name]["gradient_angle"] == pytest.approx(angle, rel=1e-5)


def test_backpropagation_is_itself():
    model = perceptron(lambda: "BP")
    for measures in diagnose(model, [(X, T)], twin=model).values():
        for name, value in measures.items():
            if name.endswith(("cosine", "norm_ratio", "decrease", "cka")):
                assert value == pytest.approx(1, rel=1e-12)
        assert measures["gradient_relative_error"] == 0
        assert measures["error_rms"] == measures["bp_error_rms"] > 0
        assert (
            measures["error_effective_rank"] == measures["bp_error_effective_rank"] > 1
        )


def test_a_scaled_v_scales_the_error_by_its_power():
    names = ("first", "second", "third")
    measures = diagnose(perceptron(Scaled, names), [(X, T)])
    for depth, name in enumerate(["logits", *names[::-1]]):
        layer = measures[name]
        assert layer["error_norm_ratio"] == pytest.approx(3**depth, rel=1e-5)
        assert layer["error_cosine"] == pytest.approx(1, abs=1e-6)
        assert layer["gradient_decrease"] == pytest.approx(3**depth, rel=1e-5)
        rank = pytest.approx(layer["bp_error_effective_rank"], rel=1e-5)
        assert layer["error_effective_rank"] == rank


def test_stock_frozen_and_double_layers_and_a_dead_one():
    two = AsymSeparableConv2D(2, 2, name="two", trainable=False)
    dead = AsymDense(
        3, "relu", name="dead", bias_initializer=keras.initializers.Constant(-99)
    )
    model = keras.Sequential(
        [keras.Input((3, 3, 1)), two, keras.layers.Flatten(), dead]
    )
    model.add(keras.layers.Dense(1, name="stock"))
    model.compile("sgd", "mse")
    batch = np.ones((4, 3, 3, 1), "float32"), np.ones((4, 1), "float32")
    measures = diagnose(model, [batch])
    assert list(measures) == ["two", "dead", "stock"]
    assert "gradient_cosine" not in measures["two"]
    assert measures["dead"]["error_rms"] == 0
    for name in ("error_cosine", "error_norm_ratio", "error_effective_rank"):
        assert np.isnan(measures["dead"][name])
    assert np.isnan(measures["dead"]["gradient_decrease"])
    assert measures["stock"]["error_cosine"] == pytest.approx(1)
    two.trainable = True
    model.compile("sgd", "mse")
    names = ["two", "dead", "stock", "two/depthwise_kernel", "two/pointwise_kernel"]
    assert list(diagnose(model, [batch])) == names


def test_the_model_and_its_twin_are_unchanged():
    model = perceptron(lambda: "brSF", activation="relu")
    model = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.3),
            *model.layers,
        ]
    )
    model.compile("adam", "mse")
    twin = symmetrize(model)
    for layer in twin.layers[2:]:
        layer.kernel.assign(layer.kernel + 0.5)

    def state():
        kept = *model.variables, *model.metrics_variables, *twin.variables
        return [keras.ops.convert_to_numpy(variable) for variable in kept]

    before = state()
    activations = [layer.activation for layer in model.layers[2:]]
    measures = diagnose(model, [(X, T)], twin)
    for value, expected in zip(state(), before, strict=True):
        np.testing.assert_array_equal(value, expected)
    assert [layer.activation for layer in model.layers[2:]] == activations
    # The same dropout each time, and in both passes; another for each batch.
    assert diagnose(model, [(X, T)], twin) == measures
    batches = [(X, T), (X, -T)]
    angles = metrics.gradient_angles(model, batches)
    for name, found in diagnose(model, batches).items():
        assert found["gradient_angle"] == pytest.approx(angles[name], rel=1e-5)
    assert measures["logits"]["gradient_cosine"] == pytest.approx(1, rel=1e-9)
    hidden = []
    for each in (model, twin):
        x = X
        for layer in each.layers[:4]:
            x = layer(x)
        hidden.append(x)
    assert measures["second"]["cka"] == pytest.approx(
        linear_cka(*hidden, debiased=True)
    )


def test_a_scaled_loss_has_the_errors_of_the_loss():
    plain, scaled = (perceptron(lambda: "uSF") for _ in range(2))
    optimizer = keras.optimizers.LossScaleOptimizer(
        keras.optimizers.SGD(), initial_scale=2.0**10
    )
    scaled.compile(optimizer, "mse")
    expected = diagnose(plain, [(X, T)])
    for name, measures in diagnose(scaled, [(X, T)]).items():
        assert measures == pytest.approx(expected[name], rel=1e-5, nan_ok=True)


def test_wrong_arguments(monkeypatch):
    model = perceptron(lambda: "uSF")
    # They cost no forward or backward pass.
    monkeypatch.setattr(comparison, "preactivations", None)
    with pytest.raises(ValueError, match="must have a batch"):
        diagnose(model, [])
    with pytest.raises(ValueError, match="layers of the model's names"):
        diagnose(model, [(X, T)], keras.Sequential([keras.Input((4,))]))
    with pytest.raises(ValueError, match="`twin` must be"):
        diagnose(model, [(X, T)], "no model")
