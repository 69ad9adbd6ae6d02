import math
from typing import Any

import keras

from keras_asymbp import _batches, metrics
from keras_asymbp._numbers import check_count
from keras_asymbp.diagnostics import diagnose
from keras_asymbp.diagnostics.similarity import common_layers

_TITLES = {
    "angle": "angle of W and V",
    "norm_ratio": "norm ratio |V| / |W|",
    "sign_concordance": "sign concordance",
    "gradient_angle": "angle of the gradient to BP's",
    "preactivation_rms": "RMS of N",
    "error_rms": "RMS of the error",
    "bp_error_rms": "RMS of BP's error",
    "error_cosine": "cosine of the error and BP's",
    "error_norm_ratio": "norm ratio of the error to BP's",
    "error_effective_rank": "effective rank of the error",
    "bp_error_effective_rank": "effective rank of BP's error",
    "gradient_cosine": "cosine of the gradient and BP's",
    "gradient_norm_ratio": "norm ratio of the gradient to BP's",
    "gradient_relative_error": "relative error of the gradient",
    "gradient_decrease": "decrease of the loss, share of BP's",
    "cka": "linear CKA with the twin",
}


class AlignmentMonitor(keras.callbacks.Callback):
    """Measures the alignment of W and V while a model trains.

    At the end of an epoch, for each asymmetric layer: the `angle` between W and the
    effective V in degrees, the `norm_ratio` |V| / |W|, the `sign_concordance`, and with
    `batches` the `gradient_angle`, in degrees, between the kernel's gradient and
    backpropagation's.

    With `diagnostics` it also compares errors and gradients with backpropagation's, for
    each layer with a kernel, asymmetric or not: `error_cosine`, `error_norm_ratio`,
    `error_rms`, `error_effective_rank`, `gradient_cosine` and so on, all those of
    `keras_asymbp.diagnostics.diagnose`.

    The values go into the logs as `"<layer>/angle"` and so on, for `History`, and for
    `CSVLogger` and `TensorBoard` if they come after this callback.

    Args:
        batches (Iterable | None): Iterable of `(x, y)` or `(x, y, sample_weight)`
            batches on which gradients are compared, such as `dataset.take(2)`; they are
            read once and used for every measurement. None for no comparison.
        frequency (int): Number of epochs between measurements, an integer of 1 or more.
            The epochs between repeat the last values, since loggers need the same keys
            each time.
        diagnostics (bool): Whether to measure what `diagnose` does, on `batches`.
        twin (Model | None): A model with layers of the same names, such as one trained
            by backpropagation, for the `cka` of `diagnostics`. It is compared as it is
            at each measurement.

    Raises:
        ValueError: If `frequency` isn't an integer of 1 or more, `batches` is empty or
            an element isn't a batch, `diagnostics` have no batches or `twin` is given
            without `diagnostics`. At the beginning of training, if `twin` has none
            of the model's layers.

    Attributes:
        history (dict[str, list[float]]): A list for each name in the logs: its value at
            each measurement, NaN where it was not measured, such as the gradient of a
            layer that is frozen later.
        epochs (list[int]): The epochs of the measurements, counted from 0. A `fit` that
            begins before the last of them restarts both.

    >>> import keras
    >>> import keras_asymbp
    >>> layer = keras_asymbp.AsymDense(5, feedback="uSF", name="hidden")
    >>> model = keras.Sequential([keras.Input((3,)), layer])
    >>> model.compile("sgd", "mse")
    >>> x, y = keras.ops.ones((4, 3)), keras.ops.ones((4, 5))
    >>> monitor = keras_asymbp.AlignmentMonitor(batches=[(x, y)])
    >>> history = model.fit(x, y, epochs=2, verbose=0, callbacks=[monitor])
    >>> history.history["hidden/sign_concordance"]
    [1.0, 1.0]

    Source: Lillicrap et al. 2014, for the angles; section 2 of Liao et al. 2016, for
    sign concordance.
    """

    def __init__(
        self,
        batches: Any = None,
        frequency: int = 1,
        diagnostics: bool = False,
        twin: keras.Model | None = None,
    ) -> None:
        super().__init__()
        check_count("frequency", frequency)
        self.batches = None if batches is None else _batches.checked(batches)
        if diagnostics and self.batches is None:
            raise ValueError(
                "`diagnostics=True` needs `batches`, on which errors and gradients are "
                "measured. Received: batches=None"
            )
        if twin is not None and not diagnostics:
            raise ValueError(
                "Argument `twin` is for diagnostics. Expected: diagnostics=True with "
                f"it. Received: diagnostics={diagnostics}"
            )
        self.frequency = frequency
        self.diagnostics = diagnostics
        self.twin = twin
        self.epochs: list[int] = []
        # By layer and quantity.
        self._measured: dict[tuple[str, str], list[float]] = {}

    @property
    def history(self) -> dict[str, list[float]]:
        return {"/".join(key): values for key, values in self._measured.items()}

    def on_train_begin(self, logs=None):
        twin = self.twin
        if twin is not None and self.model.built and getattr(twin, "built", True):
            common_layers(self.model, twin)  # a wrong twin costs no epoch

    def on_epoch_end(self, epoch, logs=None):
        if self.epochs and epoch <= self.epochs[-1]:
            self._measured, self.epochs = {}, []
        if not self.epochs or epoch - self.epochs[-1] >= self.frequency:
            measured = self._measure()
            for key in measured:
                self._measured.setdefault(key, [math.nan] * len(self.epochs))
            for key, values in self._measured.items():
                values.append(measured.get(key, math.nan))
            self.epochs.append(epoch)
        if logs is not None:
            logs.update({name: values[-1] for name, values in self.history.items()})

    def plot(self):
        """Plots the history: a panel for each quantity, a line for each layer.

        Returns:
            A `matplotlib.figure.Figure`.

        Raises:
            ValueError: If there are no measurements yet.
            ImportError: If matplotlib isn't installed: `keras-asymbp[plots]` has it.
        """
        if not self._measured:
            raise ValueError(
                "There is nothing to plot: first pass this callback to `fit` of a "
                "model with asymmetric layers."
            )
        try:
            from matplotlib.figure import Figure
        except ImportError as error:
            raise ImportError(
                "Plots need matplotlib: pip install 'keras-asymbp[plots]'"
            ) from error

        measured = {quantity for _, quantity in self._measured}
        quantities = [quantity for quantity in _TITLES if quantity in measured]
        columns = min(len(quantities), 4)
        rows = -(-len(quantities) // columns)
        figure = Figure(figsize=(3.4 * columns, 3.2 * rows), layout="constrained")
        grid = figure.subplots(rows, columns, squeeze=False).ravel()
        panels = grid[: len(quantities)]
        for unused in grid[len(quantities) :]:
            unused.remove()
        epochs = [epoch + 1 for epoch in self.epochs]  # as in Keras's progress bar
        layers = dict.fromkeys(layer for layer, _ in self._measured)
        colors = {layer: f"C{number}" for number, layer in enumerate(layers)}
        for panel, quantity in zip(panels, quantities, strict=True):
            for layer, color in colors.items():
                if values := self._measured.get((layer, quantity)):
                    panel.plot(epochs, values, ".-", color=color, label=layer)
            panel.set_title(_TITLES[quantity])
            panel.set_xlabel("epoch")
            panel.xaxis.get_major_locator().set_params(integer=True)
            if quantity.endswith("angle"):
                panel.set_ylabel("degrees")
            drawn = [y for line in panel.get_lines() for y in line.get_ydata()]
            # Without errors there is no positive value, which the axis would need.
            if quantity.endswith(("rms", "_norm_ratio")) and any(y > 0 for y in drawn):
                panel.set_yscale("log")
        lines: dict = {}
        for panel in panels:
            handles, labels = panel.get_legend_handles_labels()
            lines = dict(zip(labels, handles, strict=True)) | lines
        figure.legend(
            lines.values(), lines.keys(), loc="outside right upper", title="layer"
        )
        return figure

    def _measure(self):
        """The measured values, by layer and quantity."""
        found = [metrics.alignment(self.model)]
        if self.diagnostics:  # `gradient_angle` is among them
            found.append(diagnose(self.model, self.batches, self.twin))
        elif self.batches is not None:
            angles = metrics.gradient_angles(self.model, self.batches)
            found.append({name: {"gradient_angle": a} for name, a in angles.items()})
        return {
            (layer, quantity): value
            for measures in found
            for layer, quantities in measures.items()
            for quantity, value in quantities.items()
        }
