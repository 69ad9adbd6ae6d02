"""The monitor's values are those of `metrics`; measuring changes nothing."""

import csv
import sys

import keras
import numpy as np
import pytest

from keras_asymbp import (
    AlignmentMonitor,
    AsymDense,
    AsymSeparableConv2D,
    RedrawFeedback,
    metrics,
    symmetrize,
)
from keras_asymbp.callbacks.alignment_monitor import _TITLES
from keras_asymbp.diagnostics import diagnose

QUANTITIES = ["angle", "norm_ratio", "sign_concordance"]


def make_model(feedback="brSF", **arguments):
    model = keras.Sequential(
        [
            keras.Input((4,)),
            AsymDense(5, activation="tanh", feedback=feedback, name="first"),
            keras.layers.Dropout(0.5),
            keras.layers.BatchNormalization(),
            AsymDense(3, feedback=feedback, name="second"),
        ]
    )
    model.compile(
        keras.optimizers.SGD(0.1),
        "mse",
        metrics=["mae"],
        jit_compile=False,
        **arguments,
    )
    return model


def data(samples=8):
    generator = np.random.default_rng(0)
    x, y = generator.normal(size=(samples, 4)), generator.normal(size=(samples, 3))
    return x.astype("float32"), y.astype("float32")


def fit(model, *callbacks, epochs=3, **arguments):
    options = {"batch_size": 4, "verbose": 0, "callbacks": list(callbacks)}
    return model.fit(*data(), epochs=epochs, **options | arguments)


class Reference(keras.callbacks.Callback):
    """Measures with `metrics` at the end of each epoch."""

    def __init__(self):
        super().__init__()
        self.alignment, self.angles = [], []

    def on_epoch_end(self, epoch, logs=None):
        self.alignment.append(metrics.alignment(self.model))
        self.angles.append(metrics.gradient_angles(self.model, [data()]))


def test_history_has_the_values_of_metrics():
    monitor, reference = AlignmentMonitor(batches=[data()]), Reference()
    history = fit(make_model(), RedrawFeedback(), reference, monitor)
    assert monitor.epochs == [0, 1, 2]
    names = []
    for layer in ("first", "second"):
        for quantity in QUANTITIES:
            expected = [values[layer][quantity] for values in reference.alignment]
            assert history.history[f"{layer}/{quantity}"] == expected
        expected = [values[layer] for values in reference.angles]
        assert history.history[f"{layer}/gradient_angle"] == expected
        names += [f"{layer}/{quantity}" for quantity in (*QUANTITIES, "gradient_angle")]
    assert set(history.history) == {"loss", "mae", *names}
    assert set(monitor.history) == set(names)
    for name in names:
        assert monitor.history[name] == history.history[name]
    # The values change with the weights.
    assert len(set(monitor.history["first/angle"])) == 3
    assert len(set(monitor.history["first/gradient_angle"])) == 3


def test_without_batches_gradients_are_not_compared():
    history = fit(make_model(), AlignmentMonitor(), epochs=1)
    assert not [name for name in history.history if "gradient" in name]
    assert history.history["second/sign_concordance"] == [1.0]


@pytest.mark.parametrize(
    "mode", [{}, {"run_eagerly": True}, {"steps_per_execution": 2}]
)
def test_measuring_changes_nothing(mode):
    results = []
    for monitors in ([], [AlignmentMonitor(batches=[data()])]):
        keras.utils.set_random_seed(1)
        model = make_model(**mode)
        history = fit(model, RedrawFeedback(), *monitors)
        results.append((model, history.history))
    (plain, logs), (watched, more_logs) = results
    for variable, expected in zip(watched.variables, plain.variables, strict=True):
        np.testing.assert_array_equal(variable, expected)
    for name, values in logs.items():
        assert more_logs[name] == values
    assert watched.layers[0].feedback.draws == 6  # one per update


def test_frequency():
    monitor, reference = AlignmentMonitor(frequency=2), Reference()
    history = fit(make_model(), reference, monitor, epochs=5)
    assert monitor.epochs == [0, 2, 4]
    expected = [values["first"]["angle"] for values in reference.alignment]
    assert monitor.history["first/angle"] == expected[::2]
    # Between measurements the logs repeat the last one.
    assert history.history["first/angle"] == [expected[n] for n in (0, 0, 2, 2, 4)]


def test_the_first_epoch_of_a_fit_is_measured():
    monitor = AlignmentMonitor(frequency=10)
    model = make_model()
    history = fit(model, monitor, epochs=5, initial_epoch=3)
    assert monitor.epochs == [3]
    assert len(history.history["first/angle"]) == 2


def test_a_later_fit_continues_or_restarts():
    monitor = AlignmentMonitor()
    model = make_model()
    fit(model, monitor, epochs=2)
    fit(model, monitor, epochs=4, initial_epoch=2)
    assert monitor.epochs == [0, 1, 2, 3]
    assert len(monitor.history["first/angle"]) == 4
    fit(model, monitor, epochs=1)
    assert monitor.epochs == [0]
    assert len(monitor.history["first/angle"]) == 1


def test_measurements_are_frequency_epochs_apart_after_an_initial_epoch():
    monitor = AlignmentMonitor(frequency=10)
    fit(make_model(), monitor, epochs=24, initial_epoch=3)
    assert monitor.epochs == [3, 13, 23]


def test_a_layer_that_is_frozen_between_two_fits_has_no_gradient_from_then_on():
    monitor = AlignmentMonitor(batches=[data()])
    model = make_model()
    first, second = model.layers[0], model.layers[-1]

    def fit_next(epoch):
        model.compile("sgd", "mse", jit_compile=False)
        return fit(model, monitor, epochs=epoch + 1, initial_epoch=epoch).history

    first.trainable = False
    fit_next(0)
    first.trainable, second.trainable = True, False
    logs = fit_next(1)
    names = [f"{name}/gradient_angle" for name in ("first", "second")]
    assert np.isnan(logs[names[1]][0])
    found = np.array([monitor.history[name] for name in names])
    np.testing.assert_array_equal(np.isnan(found), [[True, False], [False, True]])
    assert {len(values) for values in monitor.history.values()} == {2}
    pytest.importorskip("matplotlib")
    assert monitor.plot().axes


def test_batches_are_read_once():
    x, y = data()
    dataset = ((x[at : at + 4], y[at : at + 4]) for at in (0, 4))
    monitor = AlignmentMonitor(batches=dataset)
    model = make_model()
    fit(model, monitor)
    expected = metrics.gradient_angles(model, [(x[:4], y[:4]), (x[4:], y[4:])])
    assert monitor.history["first/gradient_angle"][-1] == expected["first"]


def test_a_csv_logger_after_it_has_the_values(tmp_path):
    monitor = AlignmentMonitor(frequency=2)
    path = tmp_path / "log.csv"
    fit(make_model(), monitor, keras.callbacks.CSVLogger(path))
    with path.open() as file:
        rows = list(csv.DictReader(file))
    assert [float(row["second/angle"]) for row in rows] == [
        monitor.history["second/angle"][n] for n in (0, 0, 1)
    ]


def test_a_callback_after_it_can_monitor_them():
    stopping = keras.callbacks.EarlyStopping(
        "first/sign_concordance", mode="max", patience=1
    )
    history = fit(make_model("uSF"), AlignmentMonitor(), stopping, epochs=9)
    assert history.history["first/sign_concordance"] == [1.0, 1.0]


def test_layers_with_two_kernels_and_frozen_ones():
    model = keras.Sequential(
        [
            keras.Input((4, 4, 2)),
            AsymSeparableConv2D(3, 2, name="two"),
            keras.layers.Flatten(),
            AsymDense(1, name="frozen", trainable=False),
        ]
    )
    model.compile("sgd", "mse")
    x, y = np.ones((2, 4, 4, 2), "float32"), np.ones((2, 1), "float32")
    monitor = AlignmentMonitor(batches=[(x, y)])
    model.fit(x, y, verbose=0, callbacks=[monitor])
    kernels = ["two/depthwise_kernel", "two/pointwise_kernel"]
    assert set(monitor.history) == {
        f"{name}/{quantity}"
        for name in [*kernels, "frozen"]
        for quantity in (*QUANTITIES, "gradient_angle")
        if (name, quantity) != ("frozen", "gradient_angle")
    }


def test_a_model_without_asymmetric_layers_is_unaffected():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    model.compile("sgd", "mse")
    history = fit(model, AlignmentMonitor(batches=[data()]), epochs=1)
    assert list(history.history) == ["loss"]


@pytest.mark.parametrize("frequency", [0, -1, 1.5, "2", True, None])
def test_a_wrong_frequency_is_refused(frequency):
    assert AlignmentMonitor(frequency=np.int64(2))
    with pytest.raises(ValueError, match=r"`frequency` must be an integer of 1"):
        AlignmentMonitor(frequency=frequency)


def test_no_batches_are_refused():
    with pytest.raises(ValueError, match="must have a batch"):
        AlignmentMonitor(batches=[])


def test_diagnostics_are_those_of_diagnose(tmp_path):
    model, batches = make_model(), [data()]
    twin = symmetrize(model)
    monitor = AlignmentMonitor(batches, diagnostics=True, twin=twin)
    history = fit(model, RedrawFeedback(), monitor, epochs=2).history
    for layer, measures in diagnose(model, batches, twin).items():
        assert "cka" in measures
        for quantity, value in measures.items():
            assert history[f"{layer}/{quantity}"][-1] == value
    # What is measured without them stays.
    others = [*QUANTITIES, "gradient_angle"]
    assert {f"first/{quantity}" for quantity in others} <= set(history)
    figure = monitor.plot()
    assert [panel.get_title() for panel in figure.axes] == list(_TITLES.values())
    figure.savefig(tmp_path / "plot.png")


def test_a_wrong_twin_is_refused_before_the_first_epoch():
    model = make_model()
    before = [keras.ops.copy(w) for w in model.weights]
    twin = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="other")])
    monitor = AlignmentMonitor([data()], diagnostics=True, twin=twin)
    with pytest.raises(ValueError, match=r"and other in the twin"):
        fit(model, monitor, epochs=1)
    for old, new in zip(before, model.weights, strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"diagnostics": True}, "`diagnostics=True` needs `batches`"),
        ({"twin": keras.Sequential()}, "diagnostics=True with it"),
    ],
)
def test_diagnostics_need_their_arguments(arguments, expected):
    with pytest.raises(ValueError, match=expected):
        AlignmentMonitor(**arguments)


def test_plot(tmp_path):
    monitor = AlignmentMonitor(batches=[data()], frequency=2)
    fit(make_model(), monitor, epochs=5)
    figure = monitor.plot()
    assert [panel.get_title() for panel in figure.axes] == [
        "angle of W and V",
        "norm ratio |V| / |W|",
        "sign concordance",
        "angle of the gradient to BP's",
    ]
    for panel, quantity in zip(
        figure.axes, [*QUANTITIES, "gradient_angle"], strict=True
    ):
        lines = {line.get_label(): line for line in panel.get_lines()}
        assert list(lines) == ["first", "second"]
        for layer, line in lines.items():
            # Counted as in Keras's progress bar.
            np.testing.assert_array_equal(line.get_xdata(), [1, 3, 5])
            expected = monitor.history[f"{layer}/{quantity}"]
            np.testing.assert_array_equal(line.get_ydata(), expected)
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["first", "second"]
    figure.savefig(tmp_path / "plot.png")
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")


def test_a_plot_without_errors_does_not_warn(tmp_path, recwarn):
    model, (x, y) = make_model(), data()
    monitor = AlignmentMonitor([(x, y, np.zeros(len(x)))], diagnostics=True)
    fit(model, monitor, epochs=1)
    recwarn.clear()
    figure = monitor.plot()
    figure.savefig(tmp_path / "plot.png")
    assert [str(each.message) for each in recwarn] == []
    scales = {panel.get_title(): panel.get_yscale() for panel in figure.axes}
    assert scales["RMS of N"] == "log"
    assert scales["RMS of the error"] == "linear"


def test_an_empty_plot_is_refused():
    with pytest.raises(ValueError, match="nothing to plot"):
        AlignmentMonitor().plot()


def test_a_plot_without_matplotlib_names_the_package(monkeypatch):
    monitor = AlignmentMonitor()
    fit(make_model(), monitor, epochs=1)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r"keras-asymbp\[plots\]"):
        monitor.plot()
