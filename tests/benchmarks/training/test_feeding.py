import itertools

import keras
import numpy as np
import pytest

from keras_asymbp.benchmarks.training.batches import Batches
from keras_asymbp.benchmarks.training.feeding import feed


@pytest.fixture
def model():
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", metrics=["mae"])
    return model


class Seen(keras.callbacks.Callback):
    """Notes the number of updates at the end of every epoch."""

    def __init__(self):
        super().__init__()
        self.updates = []

    def on_epoch_end(self, epoch, logs=None):
        self.updates.append(int(self.model.optimizer.iterations))


def batch(number):
    x = np.full((3, 1), number, "float32")
    return x, x


def test_batches_of_any_kind_are_evaluated_again_and_again(model):
    sizes = [5, 5, 2]
    batches = Batches(
        lambda n: (np.full((sizes[n], 1), n, "float32"), np.zeros((sizes[n], 1))), 3
    )
    model.set_weights([np.ones((1, 1)), np.zeros(1)])
    fed = feed(batches)
    expected = (5 * 0 + 5 * 1 + 2 * 2) / 12
    for _ in range(2):
        logs = model.evaluate(fed, verbose=0, return_dict=True)
        assert logs["mae"] == pytest.approx(expected)


def test_endless_batches_train_every_epoch_anew_in_their_order(model):
    asked = []

    def get(number):
        asked.append(number)
        return batch(number)

    seen = Seen()
    model.fit(
        feed(Batches(get, None)),
        **{"steps_per_epoch": 4, "epochs": 3, "shuffle": False, "verbose": 0},
        callbacks=[seen],
    )
    assert seen.updates == [4, 8, 12]
    once = list(dict.fromkeys(asked))
    assert once == list(range(len(once)))
    assert len(once) >= 12


def test_iterating_starts_with_the_first_batch_each_time():
    endless, two = Batches(batch, None), Batches(batch, 2)
    assert (endless.endless, two.endless) == (True, False)
    for _ in range(2):
        assert [x[0, 0] for x, _ in itertools.islice(endless, 3)] == [0, 1, 2]
        assert [x[0, 0] for x, _ in two] == [0, 1]
