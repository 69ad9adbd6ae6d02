"""Runs `python -m keras_asymbp.benchmarks` under an account of its time.

    ACCOUNT=account.json python -m benchmarks.speed.account --exp C2

Functions of the package and of Keras are wrapped from outside; a second counts for the
innermost one that runs. The file holds the seconds of each part, and the beginning and
the end of the account, in seconds since the epoch.
"""

import collections
import functools
import json
import os
import time


class Account:
    """Seconds of each part; nested parts count as the innermost."""

    def __init__(self, part: str, clock=time.perf_counter):
        self._clock, self._parts, self._last = clock, [part], clock()
        self.seconds: dict[str, float] = collections.defaultdict(float)

    def __call__(self, part: str, function):
        """The function, with its time charged to a part."""

        @functools.wraps(function)
        def wrapped(*args, **kwargs):
            self._turn()
            self._parts.append(part)
            try:
                return function(*args, **kwargs)
            finally:
                self._turn()
                self._parts.pop()

        return wrapped

    def wrap(self, part: str, owner, *names: str) -> None:
        """Charges the time of a module's functions or a class's methods to a part."""
        for name in names:
            setattr(owner, name, self(part, getattr(owner, name)))

    def close(self) -> dict[str, float]:
        self._turn()
        return dict(self.seconds)

    def _turn(self):
        now = self._clock()
        self.seconds[self._parts[-1]] += now - self._last
        self._last = now


def main():
    began = time.time()
    account = Account("command line, runner, leases, progress")
    account("imports", _open)(account)
    from keras_asymbp.benchmarks.commands import run as command

    try:
        command.main()
    finally:
        with open(os.environ["ACCOUNT"], "w", encoding="utf-8") as file:
            parts = account.close()
            json.dump({"parts": parts, "began": began, "ended": time.time()}, file)


def _open(account):
    """Imports what the command imports later, and wraps functions of it."""
    import keras
    from tensorflow.python.eager.polymorphic_function import polymorphic_function

    from keras_asymbp.benchmarks.datasets import prepared
    from keras_asymbp.benchmarks.reports import files, terminal
    from keras_asymbp.benchmarks.results import inventory, store, table
    from keras_asymbp.benchmarks.run import progress, runner  # noqa: F401
    from keras_asymbp.benchmarks.training import batches, search, trainer
    from keras_asymbp.callbacks import BatchStatistics

    account.wrap("data", prepared, "load")
    account.wrap("data", batches, "prepare")
    account.wrap(
        "building and compiling models", trainer.Trainer, "__init__", "take_up"
    )
    account.wrap("throwing graphs away", keras.utils, "clear_session")
    # TensorFlow traces a function and its gradients here.
    account.wrap("tracing", polymorphic_function.Function, "_initialize")
    account.wrap("training steps, with what fit does", keras.Model, "fit")
    account.wrap("evaluation", keras.Model, "evaluate")
    account.wrap("statistics of the normalization", BatchStatistics, "on_test_begin")
    account.wrap("back to the start between rates", trainer.Trainer, "train_together")
    account.wrap("keras-tuner's search", search, "search")
    account.wrap("storing", store.Store, "put")
    account.wrap("tables and report", files, "write")
    account.wrap("tables and report", terminal, "show", "show_plain")
    account.wrap("tables and report", table, "fill")
    account.wrap("tables and report", inventory, "take")


if __name__ == "__main__":
    main()
