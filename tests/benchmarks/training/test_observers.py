import numpy as np
import pytest

from keras_asymbp.benchmarks.training.observers import Observer, Observers


class Recorder(Observer):
    """Records its calls; raises an error in the given method."""

    def __init__(self, fails_in=None, error=RuntimeError):
        self.calls = []
        self._fails_in, self._error = fails_in, error

    def begin(self, cell, trial, model):
        self.weights = model.get_weights()
        self._record("begin", cell, trial, model)

    def epoch(self, row):
        self._record("epoch", row)

    def end(self, result):
        self._record("end", result)

    def _record(self, *call):
        self.calls.append(call)
        if call[0] == self._fails_in:
            raise self._error


def test_observers_of_a_trial(make_trainer):
    trainer, cell = make_trainer()
    trial = cell.trials()[2]
    start = trainer.model.get_weights()
    for _ in range(2):  # the second trial is observed from the same start
        observers = Recorder(), Observer(), Recorder()
        result = trainer.train(trial, observers)
        for observer in (observers[0], observers[2]):
            assert observer.calls == [
                ("begin", cell, trial, trainer.model),
                *(("epoch", row) for row in result["curves"]),
                ("end", result),
            ]
            for before, first in zip(start, observer.weights, strict=True):
                np.testing.assert_array_equal(before, first)


@pytest.mark.parametrize("method", ["begin", "epoch"])
@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_every_observer_ends_when_an_exception_ends_the_trial(
    method, error, make_trainer
):
    trainer, cell = make_trainer()
    observers = Recorder(), Recorder(method, error), Recorder()
    with pytest.raises(error):
        trainer.train(cell.trials()[2], observers)
    for observer in observers:
        assert observer.calls[-1] == ("end", None)
        assert len(observer.calls) <= 3


def test_every_observer_ends_even_if_another_fails_to():
    observers = Recorder(), Recorder("end"), Recorder()
    result = {"best_error": 0.5}
    with pytest.raises(RuntimeError):
        Observers(observers).end(result)
    assert [observer.calls for observer in observers] == [[("end", result)]] * 3
