"""Figures: errors, rates and epochs of models, and what their runs took."""

import collections
import statistics

import frequencies
from markupsafe import Markup
from recorded_base import Recorded

from keras_asymbp.benchmarks.escaping import markdown
from keras_asymbp.benchmarks.reports import words
from keras_asymbp.benchmarks.results import selection, table

_NUMBERS = [
    "no",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
]


class Errors(Recorded):
    """Errors in percent, as text."""

    def error(self, folder, model):
        """Our error in percent, the mean over seeds, as the tables have it."""
        by_seed = table.errors(*self._model(folder, model), self._store(folder))
        return f"{statistics.fmean(by_seed.values()):.2f}"

    def paper(self, folder, model):
        """The paper's error in percent for the folder's data set, as printed."""
        held = self._held(folder)
        (printed,) = {
            plan.printed(column)
            for plan in held.plans()
            for column in plan.columns
            if column.name == model
        }
        return f"{printed:.2f}"

    def error_at(self, folder, model, rate):
        """Our error in percent at one rate of the first seed."""
        setup, column = self._model(folder, model)
        first, *_ = setup.cells(column)
        (trial,) = (
            trial
            for trial in table.finished(first, self._store(folder))
            if trial["settings"]["learning_rate"] == rate
        )
        return f"{100 * trial['result']['best_error']:.2f}"

    def best_epoch(self, folder, model):
        """The epoch of the lowest error in the best run of the first seed."""
        return str(self._best(folder, model)[0]["result"]["best_epoch"])

    def last_error(self, folder, model):
        """The error in percent after the last epoch of the same run."""
        *_, last = self._best(folder, model)[0]["result"]["curves"]
        return f"{100 * last['test_error']:.2f}"

    def seeds(self, folder):
        """The number of seeds, as a word."""
        (number,) = {len(setup.seeds) for setup in self._held(folder).setups}
        return _NUMBERS[number]

    def rate(self, folder, model):
        """The best rate of each seed, the highest first, without repetition."""
        best = self._best(folder, model)
        rates = {trial["settings"]["learning_rate"] for trial in best}
        return ", ".join(f"{rate:g}" for rate in sorted(rates, reverse=True))

    def spread(self, folder, models):
        """The difference between the largest and the smallest error, in points."""
        errors = [float(self.error(folder, model)) for model in models]
        return f"{max(errors) - min(errors):.2f}"

    def lowest(self, folder, model):
        """The lowest test error in percent, where held-out examples choose."""
        (found,) = (s for s in self._selections(folder) if s.model == model)
        return f"{found.lowest:.2f}"

    def mean_gain(self, folder):
        """What a choice on the test examples would gain, the mean over models."""
        return f"{selection.mean_gain(self._selections(folder)):.2f}"

    def most_gained(self, folder):
        """The same for the model that gains most."""
        return f"{max(found.gain for found in self._selections(folder)):.2f}"

    def _selections(self, folder):
        return selection.selections([self._plan(folder)], self._store(folder))

    def errors(self, folder, experiment):
        """A table: our error of each model of an experiment, and the paper's if any."""
        row = self._row(folder, experiment)
        plan = row.plan
        rows = [[plan.setup.dataset.name, *map(words.ours, row.entries)]]
        if plan.experiment.source:
            rows.append([plan.printed_row(), *map(words.paper, row.entries)])
        # A name may break after each sign.
        names = (markdown.escape(c.name).replace("+", "+<wbr>") for c in plan.columns)
        return markdown.table(["error, %", *map(Markup, names)], rows)

    def clamped(self, folder, experiment):
        """A table: errors of each model by the layers that learn, and the paper's."""
        row, rows = self._row(folder, experiment), []
        for column, entry in zip(row.plan.columns, row.entries, strict=True):
            if column.clamped is None:
                rows.append([column.name])
            ours, *_ = words.ours(entry).split()
            rows[-1].append(Markup(f"{ours} <small>{words.paper(entry)}</small>"))
        titles = ["error, %", "all learn", Markup("*Bottom*"), Markup("*Top*")]
        return markdown.table(titles, rows)

    def _row(self, folder, experiment):
        plans = self._held(folder).plans()
        (plan,) = [plan for plan in plans if plan.experiment.name == experiment]
        return table.fill(plan, self._store(folder))

    def guess(self, dataset, characters):
        """The error in percent of a table of frequencies; see `frequencies.error`."""
        return f"{frequencies.error(dataset, characters):.1f}"

    def runs(self, folder):
        """The number of finished trials."""
        return f"{len(self._store(folder).trials()):,}"

    def hours(self, folder):
        """The hours that all trials of a folder take, one after another.

        A trial counts with the median of its model's on its network: some were paused.
        """
        seconds = collections.defaultdict(list)
        for trial in self._store(folder).trials():
            network = trial["settings"].get("architecture")
            seconds[trial["model"], network].append(trial["seconds"])
        total = sum(len(each) * statistics.median(each) for each in seconds.values())
        return f"{total / 3600:.1f}"
