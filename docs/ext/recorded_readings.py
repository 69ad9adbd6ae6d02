"""Figures: the ablations."""

from recorded_base import Recorded

from keras_asymbp.benchmarks.ablation import study


class Readings(Recorded):
    """The readings of an ablation, as text."""

    def readings(self, folder):
        """A table: the agreement and the errors of each reading of an ablation."""
        return study.table(self._lines(folder)).rstrip()

    def reading_error(self, folder, reading, model):
        """Our error in percent under one reading of an ablation."""
        (line,) = (x for x in self._lines(folder) if x.reading.name == reading)
        return f"{line.figures[model].error:.2f}"

    def choices(self, folder):
        """A table: what each choice of an ablation alone does."""
        return study.effects(self._lines(folder)).rstrip()
