"""What the figures of recorded folders are computed from, each read once."""

import functools

from recorded_folders import RATES

from keras_asymbp.benchmarks.ablation import study
from keras_asymbp.benchmarks.depth import study as depth
from keras_asymbp.benchmarks.results import assessment, inventory, store, table


class Recorded:
    """The recorded folders, by name.

    Args:
        root: The folder of the recorded folders.
    """

    def __init__(self, root):
        self._root = root
        self._store = functools.cache(self._read)
        self._held = functools.cache(self._take)
        self._assessed = functools.cache(self._assess)
        self._lines = functools.cache(self._ablation)
        self._runs = functools.cache(self._depth)

    def _best(self, folder, model):
        """The best trial of each seed."""
        setup, column = self._model(folder, model)
        cells = setup.cells(column)
        return [table.finished(cell, self._store(folder))[0] for cell in cells]

    def _model(self, folder, name):
        """The setup of a folder with one, and a column, by the model's name."""
        held = self._held(folder)
        (setup,) = held.setups
        columns = (column for plan in held.plans() for column in plan.columns)
        return setup, next(column for column in columns if column.name == name)

    def _plan(self, folder):
        """The plan of a folder of one experiment and one data set."""
        (plan,) = self._held(folder).plans()
        return plan

    def _read(self, folder):
        return store.Store(self._root / folder, make=False)

    def _depth(self, folder):
        return depth.runs(self._held(folder).plans(), self._store(folder))

    def _ablation(self, folder):
        return study.of_folder(self._store(folder))

    def _take(self, folder):
        return inventory.take(self._store(folder), learning_rates=RATES.get(folder))

    def _assess(self, folder):
        """The assessment of a recorded folder with one setup."""
        held = self._held(folder)
        (only,) = assessment.assess(held, held.setups, held.plans())
        return only
