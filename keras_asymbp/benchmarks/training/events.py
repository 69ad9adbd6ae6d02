"""Events for TensorBoard: curves, alignment and histograms, in one folder a trial."""

import importlib.util
import os
import pathlib
import tempfile
import warnings
from collections.abc import Callable
from typing import Any

from keras_asymbp.benchmarks.errors import UsageError
from keras_asymbp.benchmarks.results.file_name import file_name
from keras_asymbp.benchmarks.results.store import trial_id
from keras_asymbp.benchmarks.tables.cells import Cell, TrialSpec
from keras_asymbp.benchmarks.training.observers import Observer

# TensorFlow's names for event files.
_EVENTS = "events.out.tfevents.*"


def require(folder: str | None) -> str | None:
    """Checks that events can be written, before anything is trained.

    Args:
        folder: The folder of `--tensorboard`, created if missing; None for no events.

    Returns:
        The folder's absolute path, valid in processes started elsewhere; None for no
        events.

    Raises:
        ModuleNotFoundError: If TensorBoard isn't installed.
        UsageError: If TensorFlow isn't installed, or the folder is not writable.
    """
    if not folder:
        return None
    import tensorboard  # noqa: F401  # TensorFlow needs it to write summaries

    if importlib.util.find_spec("tensorflow") is None:
        raise UsageError(
            "--tensorboard needs TensorFlow, which writes the events on every backend: "
            "install it, or leave --tensorboard out"
        )

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
    """The folder of a trial's events, relative to that of `--tensorboard`.

    >>> from keras_asymbp.benchmarks import datasets
    >>> from keras_asymbp.benchmarks.tables import experiments, protocol
    >>> column = experiments.get("C2").columns[1]
    >>> quick = protocol.PRESETS["quick"]
    >>> cell = Cell(datasets.get("mnist_5k"), "1", column, quick, seed=0)
    >>> run_folder(cell, cell.trials()[0]).as_posix()
    'mnist_5k/SGD_Bottom/seed0/lr0.05-67fa1fbb'
    """
    rate = f"lr{trial.learning_rate:g}"
    if len(cell.column.batch_schedules) > 1:  # each with the same rates
        rate += "-batch" + "-".join(str(size) for _, size in trial.batch_schedule)
    names = cell.dataset.name, cell.column.name
    # Other settings, such as the number of epochs, make another trial.
    rate += "-" + trial_id(cell.settings(trial))[:8]
    return pathlib.PurePath(*map(file_name, names), f"seed{cell.seed}", rate)


class Events(Observer):
    """Writes each trial's events.

    Curves have the names and steps of Keras's `TensorBoard` callback: `epoch_loss` (the
    cross-entropy of an example), `epoch_error` (a share) and `epoch_learning_rate`, at
    steps from 0, in `train/` and `validation/`. The alignment of each asymmetric layer,
    as `AlignmentMonitor` computes it (`epoch_<layer>/angle`, for example), and
    histograms of all weights are in `train/`. The trial's settings and its `best_error`
    are for the HParams tab.

    Events of an earlier attempt at the trial are removed. Where events can't be
    written, on a full disk for example, the trial goes on without them.

    Args:
        folder: The folder of `--tensorboard`.
        warn: Called with a line for the user if events can't be written.
    """

    reads_model = True

    def __init__(self, folder: str, warn: Callable[[str], Any] = warnings.warn):
        self._folder, self._warn = folder, warn
        self._model: Any = None
        self._writers: dict[str, Any] = {}
        self._failed = False

    def begin(self, cell: Cell, trial: TrialSpec, model: Any) -> None:
        self._model = model
        self._attempt(self._start, cell, trial)

    def epoch(self, row: dict[str, Any]) -> None:
        from keras_asymbp import metrics

        if self._failed:
            return
        scalars = {
            "train": {
                "loss": row["train_loss"],
                "error": row["train_error"],
                "learning_rate": row["learning_rate"],
            }
            | {
                f"{layer}/{quantity}": value
                for layer, quantities in metrics.alignment(self._model).items()
                for quantity, value in quantities.items()
            },
            "validation": {"loss": row["test_loss"], "error": row["test_error"]},
        }
        histograms = {
            weight.path: weight.numpy()
            for weight in self._model.weights
            if "float" in weight.dtype
        }
        self._attempt(self._write, scalars, histograms, row["epoch"] - 1)

    def end(self, result: dict[str, Any] | None) -> None:
        if result is not None:
            self._attempt(self._finish, result)
        for writer in self._writers.values():
            self._attempt(writer.close)
        self._writers.clear()

    def _attempt(self, write, *arguments):
        """Writes events, unless that has failed before."""
        import tensorflow as tf

        if self._failed:
            return
        try:
            write(*arguments)
        except (OSError, tf.errors.OpError) as error:
            self._failed = True
            # TensorFlow's first line ends with the system's message.
            text = error.strerror if isinstance(error, OSError) else error.message
            line = str(text).partition("\n")[0]
            reason = line.rpartition("; ")[2].partition(" [Op:")[0]
            self._warn(
                f"warning: can't write events into {self._folder} ({reason}): trials "
                "go on without them"
            )

    def _start(self, cell, trial):
        import tensorflow as tf
        from tensorboard.plugins.hparams import api

        folder = pathlib.Path(self._folder, run_folder(cell, trial))
        for file in [*folder.glob(_EVENTS), *folder.glob(f"*/{_EVENTS}")]:
            file.unlink()
        for part in ("", "train", "validation"):
            self._writers[part] = tf.summary.create_file_writer(str(folder / part))
        settings = cell.settings(trial)
        values = {"model": cell.column.name} | {
            name: value if isinstance(value, bool | int | float) else str(value)
            for name, value in settings.items()
        }
        with self._writers[""].as_default():
            api.hparams(values, trial_id=trial_id(settings))

    def _write(self, scalars, histograms, step):
        import tensorflow as tf

        for part, values in scalars.items():
            with self._writers[part].as_default():
                for name, value in values.items():
                    tf.summary.scalar(f"epoch_{name}", value, step=step)
        with self._writers["train"].as_default():
            for path, weights in histograms.items():
                tf.summary.histogram(f"{path}/histogram", weights, step=step)
        for writer in self._writers.values():
            writer.flush()

    def _finish(self, result):
        import tensorflow as tf
        from tensorboard.plugins.hparams import api_pb2, summary

        session = summary.session_end_pb(api_pb2.STATUS_SUCCESS)
        with self._writers[""].as_default():
            tf.summary.scalar("best_error", result["best_error"], step=0)
            tf.summary.experimental.write_raw_pb(session.SerializeToString(), step=0)
