from typing import Any

import keras

from keras_asymbp import metrics

_TITLES = {
    "angle": "angle of W and V",
    "norm_ratio": "norm ratio |V| / |W|",
    "sign_concordance": "sign concordance",
    "gradient_angle": "angle of the gradient to BP's",
}


class AlignmentMonitor(keras.callbacks.Callback):
    """Measures the alignment of W and V while a model trains.

    At the end of an epoch, for each asymmetric layer: the `angle` between W and the
    effective V in degrees, the `norm_ratio` |V| / |W|, the `sign_concordance`, and with
    `batches` the `gradient_angle`, in degrees, between the kernel's gradient and
    backpropagation's.

    The values go into the logs as `"<layer>/angle"` and so on, for `History`, and for
    `CSVLogger` and `TensorBoard` if they come after this callback.

    Args:
        batches (Iterable | None): Iterable of `(x, y)` or `(x, y, sample_weight)`
            batches on which gradients are compared, such as `dataset.take(2)`; they are
            read once and used for every measurement. None for no comparison.
        frequency (int): Number of epochs between measurements, an integer of 1 or more.
            The epochs between repeat the last values, since loggers need the same keys
            each time.

    Raises:
        ValueError: If `frequency` isn't an integer of 1 or more, or `batches` is
            empty.

    Attributes:
        history (dict[str, list[float]]): A list for each name in the logs: its value at
            each measurement.
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

    def __init__(self, batches: Any = None, frequency: int = 1) -> None:
        super().__init__()
        if (
            isinstance(frequency, bool)
            or not isinstance(frequency, int)
            or frequency < 1
        ):
            raise ValueError(
                "Argument `frequency` must be an integer of 1 or more. "
                f"Received: frequency={frequency}"
            )
        self.batches = None if batches is None else list(batches)
        if self.batches == []:
            raise ValueError("Argument `batches` must have a batch. Received none.")
        self.frequency = frequency
        self.history: dict[str, list[float]] = {}
        self.epochs: list[int] = []

    def on_epoch_end(self, epoch, logs=None):
        if self.epochs and epoch <= self.epochs[-1]:
            self.history, self.epochs = {}, []
        if not self.epochs or epoch % self.frequency == 0:
            self.epochs.append(epoch)
            for name, value in self._measure().items():
                self.history.setdefault(name, []).append(value)
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
        if not self.history:
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

        measured = [name.rpartition("/")[2] for name in self.history]
        quantities = [quantity for quantity in _TITLES if quantity in measured]
        figure = Figure(figsize=(3.4 * len(quantities), 3.2), layout="constrained")
        panels = figure.subplots(1, len(quantities), squeeze=False)[0]
        epochs = [epoch + 1 for epoch in self.epochs]  # as in Keras's progress bar
        layers = dict.fromkeys(name.rpartition("/")[0] for name in self.history)
        colors = {layer: f"C{number}" for number, layer in enumerate(layers)}
        for panel, quantity in zip(panels, quantities, strict=True):
            for layer, color in colors.items():
                values = self.history.get(f"{layer}/{quantity}")
                if values is not None:
                    panel.plot(epochs, values, ".-", color=color, label=layer)
            panel.set_title(_TITLES[quantity])
            panel.set_xlabel("epoch")
            panel.xaxis.get_major_locator().set_params(integer=True)
            if quantity.endswith("angle"):
                panel.set_ylabel("degrees")
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside right upper", title="layer")
        return figure

    def _measure(self):
        values = {
            f"{layer}/{quantity}": value
            for layer, quantities in metrics.alignment(self.model).items()
            for quantity, value in quantities.items()
        }
        if self.batches is not None:
            angles = metrics.gradient_angles(self.model, self.batches)
            values |= {
                f"{name}/gradient_angle": value for name, value in angles.items()
            }
        return values
