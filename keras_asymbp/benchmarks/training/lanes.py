"""Several trials as the lanes of one program, on JAX: `EpochProgram` under `jax.vmap`.

On an accelerator a lane takes less time than a trial alone: kernels of networks as
small as these leave most of it idle.
"""

from collections.abc import Sequence
from typing import Any

import jax
import keras
import numpy as np
from jax import numpy as jnp

from keras_asymbp.benchmarks.training.epoch_program import over_batches
from keras_asymbp.callbacks import RedrawFeedback
from keras_asymbp.callbacks.batch_statistics import recomputed_layers

# What a lane has of its own; the metrics start anew in each pass.
Lanes = tuple[list[Any], list[Any], list[Any]]


class LaneProgram:
    """Trains copies of a model, one learning rate each, all on the same batches.

    The step is the model's own `train_step` with `RedrawFeedback`, as in `fit`, and the
    statistics are those of `BatchStatistics`. Mirror phases are left out.

    The state of all lanes is a value, which `start` makes and `epoch` returns: the
    variables' values, with the lane as a first axis.

    Args:
        model: A compiled model that an `EpochProgram` feeds.

    Attributes:
        program: The compiled function; it is the same for all seeds and rates.
    """

    def __init__(self, model: keras.Model):
        self._model = model
        self._redraw = RedrawFeedback()
        self._redraw.set_model(model)
        optimizer = model.optimizer
        self._rate = _place(optimizer.learning_rate, optimizer.variables)
        layers, others = recomputed_layers(model), model.non_trainable_variables
        self._alphas = {_place(layer.rate, others): layer.alpha for layer in layers}
        statistics = {id(each) for layer in layers for each in layer.variables}
        self._kept = [id(each) not in statistics for each in others]
        model.reset_metrics()
        self._metrics = [variable.numpy() for variable in model.metrics_variables]
        self.program = jax.jit(
            jax.vmap(self._epoch, in_axes=(0, 0, None, None, None)), donate_argnums=0
        )
        self._lane = jax.jit(
            lambda lanes, lane: jax.tree.map(lambda value: value[lane], lanes)
        )

    def start(self, count: int) -> Lanes:
        """Returns a number of lanes, each in the model's present state."""
        self._redraw.on_train_begin()
        trained, others, optimizer = (
            [jnp.stack([variable.value] * count) for variable in group]
            for group in self._groups()
        )
        return trained, others, optimizer

    def epoch(
        self,
        lanes: Lanes,
        rates: Sequence[float],
        training: Any,
        statistics: Any,
        evaluations: Sequence[Any],
    ) -> tuple[list[list[dict[str, float]]], Lanes]:
        """Trains and evaluates all lanes for an epoch.

        Args:
            lanes: Their state; the program overwrites it.
            rates: The learning rate of each.
            training: The epoch's batches, as `EpochProgram` gives them.
            statistics: Those of the normalization's statistics.
            evaluations: Those of each split to evaluate on.

        Returns:
            For each lane Keras's logs of training and of each evaluation, and the new
            state.
        """
        logs, lanes = self.program(
            lanes, np.array(rates, "float32"), training, statistics, evaluations
        )
        logs = jax.device_get(logs)
        of_lanes = [
            jax.tree.map(lambda values, lane=lane: float(values[lane]), logs)
            for lane in range(len(rates))
        ]
        return of_lanes, lanes

    def load(self, lanes: Lanes, lane: int) -> None:
        """Makes the state of a lane that of the model and its optimizer."""
        values = self._lane(lanes, lane)
        for group, of_group in zip(self._groups(), values, strict=True):
            for variable, value in zip(group, of_group, strict=True):
                variable.assign(value)

    def _groups(self):
        model = self._model
        return (
            model.trainable_variables,
            model.non_trainable_variables,
            model.optimizer.variables,
        )

    def _epoch(self, state, rate, training, statistics, evaluations):
        """The epoch of one lane."""
        model = self._model
        trained, others, optimizer = state
        optimizer = _replaced(optimizer, {self._rate: rate})
        state = trained, others, optimizer, self._metrics
        logs, state = over_batches(model.train_step)(state, training)
        trained, others, optimizer, _ = state
        if self._alphas:
            # As in `BatchStatistics`: the first batch starts the averages, and nothing
            # else changes.
            state = trained, _replaced(others, dict.fromkeys(self._alphas, 1.0))
            _, (_, news) = over_batches(self._statistics_step)(state, statistics)
            others = [
                old if kept else new
                for kept, old, new in zip(self._kept, others, news, strict=True)
            ]
        state = trained, others, self._metrics
        evaluated = [
            over_batches(model.test_step)(state, data)[0] for data in evaluations
        ]
        return [logs, *evaluated], (trained, others, optimizer)

    def _statistics_step(self, state, data):
        (trained, others), (inputs, _) = state, data
        _, others = self._model.stateless_call(trained, others, inputs, training=True)
        return {}, (trained, _replaced(others, self._alphas))


def _place(variable, variables):
    """The place of a variable among others, whose `==` compares values."""
    return next(place for place, each in enumerate(variables) if each is variable)


def _replaced(values, news):
    """The values with new ones at some places."""
    values = list(values)
    for place, new in news.items():
        values[place] = jnp.asarray(new, values[place].dtype)
    return values
