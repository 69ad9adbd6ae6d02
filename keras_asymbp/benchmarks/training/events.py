"""What TensorBoard shows of a trial while it trains, in a folder for each."""

import os
import pathlib
import re
import tempfile
from collections.abc import Callable
from typing import Any

from keras_asymbp.benchmarks.errors import UsageError
from keras_asymbp.benchmarks.results.store import trial_id
from keras_asymbp.benchmarks.tables.cells import Cell, TrialSpec

# How TensorFlow names the files that it writes.
_EVENTS = "events.out.tfevents.*"


def require(folder: str | None) -> str | None:
    """Sees that events can be written, before anything is trained.

    Args:
        folder: The folder of `--tensorboard`, made if it isn't there; None for no
            events.

    Returns:
        The folder's absolute path, for processes that may be started elsewhere.

    Raises:
        ModuleNotFoundError: If TensorBoard isn't installed.
        UsageError: If the folder can't be written to.
    """
    if not folder:
        return None
    import tensorboard  # noqa: F401  # TensorFlow writes summaries by its code

    try:
        pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise UsageError(
            f"can't write to {folder} ({error.strerror}): choose another folder with "
            "--tensorboard"
        ) from error
    return os.path.abspath(folder)


def run_folder(cell: Cell, trial: TrialSpec) -> pathlib.PurePath:
    """Where a trial's events are, below the folder of `--tensorboard`.

    >>> from keras_asymbp.benchmarks import datasets
    >>> from keras_asymbp.benchmarks.tables import experiments, protocol
    >>> column = experiments.get("C2").columns[1]
    >>> quick = protocol.PRESETS["quick"]
    >>> cell = Cell(datasets.get("mnist_5k"), "1", column, quick, seed=0)
    >>> run_folder(cell, cell.trials()[0]).as_posix()
    'mnist_5k/SGD_Bottom/seed0/lr0.05'
    """
    rate = f"lr{trial.learning_rate:g}"
    if len(cell.column.batch_schedules) > 1:  # which share the rates
        rate += "-batch" + "-".join(str(size) for _, size in trial.batch_schedule)
    names = cell.dataset.name, cell.column.name
    return pathlib.PurePath(*map(_file_name, names), f"seed{cell.seed}", rate)


class Events:
    """Writes what TensorBoard shows of one trial; a context, at whose end it is whole.

    Curves have the names and steps of Keras's `TensorBoard` callback: `epoch_loss` (the
    cross-entropy of an example), `epoch_error` (a share) and `epoch_learning_rate`, at
    steps from 0, in `train/` and `validation/`. So have the alignment of each
    asymmetric layer, `epoch_<layer>/angle` and so on, as `AlignmentMonitor` gives it,
    and the histograms of all weights, both in `train/`. The trial's settings and its
    `best_error` are for the HParams tab.

    Events of an earlier attempt at the trial are removed.

    Args:
        folder: The folder of `--tensorboard`.
        cell: The cell.
        trial: The trial.
        model: The model, as it is after each epoch.
    """

    def __init__(self, folder: str, cell: Cell, trial: TrialSpec, model: Any):
        self._folder = pathlib.Path(folder, run_folder(cell, trial))
        self._settings = cell.settings(trial)
        self._name = cell.column.name
        self._model = model
        self._writers: list[Any] = []

    def __enter__(self):
        from tensorboard.plugins.hparams import api

        for file in [*self._folder.glob(_EVENTS), *self._folder.glob(f"*/{_EVENTS}")]:
            file.unlink()
        self._trial = self._writer("")
        self._train, self._validation = (
            self._writer("train"),
            self._writer("validation"),
        )
        values = {"model": self._name} | {
            name: value if isinstance(value, bool | int | float) else str(value)
            for name, value in self._settings.items()
        }
        with self._trial.as_default():
            api.hparams(values, trial_id=trial_id(self._settings))
        return self

    def __exit__(self, *exception):
        for writer in self._writers:
            writer.close()

    def epoch(self, row: dict[str, Any]) -> None:
        """An epoch is over; `row` is its row of the curves."""
        import tensorflow as tf

        from keras_asymbp import metrics

        step = row["epoch"] - 1
        rows = {
            self._train: {
                "loss": row["train_loss"],
                "error": row["train_error"],
                "learning_rate": row["learning_rate"],
            }
            | {
                f"{layer}/{quantity}": value
                for layer, quantities in metrics.alignment(self._model).items()
                for quantity, value in quantities.items()
            },
            self._validation: {"loss": row["test_loss"], "error": row["test_error"]},
        }
        for writer, values in rows.items():
            with writer.as_default():
                for name, value in values.items():
                    tf.summary.scalar(f"epoch_{name}", value, step=step)
        with self._train.as_default():
            for weight in self._model.weights:
                if "float" in weight.dtype:
                    tf.summary.histogram(
                        f"{weight.path}/histogram", weight.numpy(), step=step
                    )
        for writer in self._writers:
            writer.flush()

    def finish(self, result: dict[str, Any]) -> None:
        """The trial is over."""
        import tensorflow as tf
        from tensorboard.plugins.hparams import api_pb2, summary

        end = summary.session_end_pb(api_pb2.STATUS_SUCCESS)
        with self._trial.as_default():
            tf.summary.scalar("best_error", result["best_error"], step=0)
            tf.summary.experimental.write_raw_pb(end.SerializeToString(), step=0)

    def _writer(self, name):
        import tensorflow as tf

        writer = tf.summary.create_file_writer(str(self._folder / name))
        self._writers.append(writer)
        return writer


def train(
    folder: str | None,
    cell: Cell,
    trial: TrialSpec,
    trainer: Any,
    on_epoch: Callable[[dict[str, Any]], None],
) -> dict[str, Any]:
    """Trains a trial, and writes its events if there is a folder for them.

    Args:
        folder: The folder of `--tensorboard`, or None.
        cell: The cell.
        trial: The trial.
        trainer: The cell's trainer.
        on_epoch: See `Trainer.train`, which returns what this does.
    """
    if folder is None:
        return trainer.train(trial, on_epoch)
    with Events(folder, cell, trial, trainer.model) as events:

        def on_epoch_with_events(row):
            events.epoch(row)
            on_epoch(row)

        result = trainer.train(trial, on_epoch_with_events)
        events.finish(result)
    return result


def _file_name(name):
    """A name that is one folder, and no other than below."""
    return re.sub(r"[^\w.+-]+", "_", name).strip(".") or "_"
