"""Figures: measures of layers, and the depth study, whose networks they are of."""

import statistics

from markupsafe import Markup
from recorded_base import Recorded

from keras_asymbp.benchmarks.escaping import markdown


class Layers(Recorded):
    """Measures of the layers of a model's best runs, as text."""

    def layers(self, folder, measure, digits):
        """A table: a measure of each layer in the best runs, from the top down.

        The mean over seeds, for each model but the baseline; `?` if a rule has none.

        Args:
            folder: A folder of one experiment, with diagnostics.
            measure: A measure of the trials' `alignment` or `diagnostics`.
            digits: The number of decimals.
        """
        plan = self._plan(folder)
        models = [c.name for c in plan.columns if c.name != plan.experiment.baseline]
        rows = (
            [
                Markup(markdown.code(name)),
                *(self.layer(folder, model, name, measure, digits) for model in models),
            ]
            for name in reversed(self._layers(folder, models[0])[0])
        )
        return markdown.table(["layer", *models], rows)

    def layer(self, folder, model, name, measure, digits):
        """A measure of one layer in a model's best runs: the mean over seeds."""
        values = [run[name].get(measure) for run in self._layers(folder, model)]
        return "?" if None in values else f"{statistics.fmean(values):.{digits}f}"

    def _layers(self, folder, model):
        """The measures of each layer by its name, bottom first, for each seed."""
        return [
            {
                name: measures | trial["result"]["diagnostics"][name]
                for name, measures in trial["result"]["alignment"].items()
            }
            for trial in self._best(folder, model)
        ]

    def network_error(self, folder, model, network):
        """Our error in percent on a network of the depth study with one seed."""
        return f"{self._run(folder, model, network).error:.1f}"

    def mean_angle(self, folder, model, network):
        """The mean angle of the gradients below the last layer, in degrees."""
        return f"{statistics.fmean(self._angles(folder, model, network)):.0f}"

    def largest_angle(self, folder, models, networks):
        """The largest angle of a gradient below the last layer, in degrees."""
        found = (
            max(self._angles(folder, model, network))
            for model in models
            for network in networks
        )
        return f"{max(found):.1f}"

    def _angles(self, folder, model, network):
        *below, _ = self._run(folder, model, network).layers
        return [layer.gradient_angle for layer in below]

    def _run(self, folder, model, network):
        """The best run of a model on a network such as `plain-8`."""
        (found,) = (
            run
            for run in self._runs(folder)
            if (run.column.name, f"{run.family}-{run.depth}") == (model, network)
        )
        return found
