"""Figures in the text of a page, computed from the trials of recorded folders.

A page with `figures: true` at its top is a Jinja template. Its text has figures such as
`{{ error("quick-cifar10", "SGD") }}`, and tables such as
`{{ verdicts(["quick-cifar10"]) }}`; the functions are methods of `Figures`. A name that
does not exist stops the build.
"""

import collections
import functools
import statistics

import frequencies
import templates
from markupsafe import Markup
from recorded_folders import RATES, RESULTS

from keras_asymbp.benchmarks.ablation import study
from keras_asymbp.benchmarks.depth import study as depth
from keras_asymbp.benchmarks.escaping import markdown
from keras_asymbp.benchmarks.reports import words
from keras_asymbp.benchmarks.results import (
    assessment,
    inventory,
    selection,
    store,
    table,
)
from keras_asymbp.benchmarks.results.verdicts import VERDICTS, counts
from keras_asymbp.benchmarks.tables import experiments

_ALL_TABLES = "all tables of the paper"
# Methods of `Figures` that a template can call.
_FUNCTIONS = (
    *("error", "paper", "effect", "verdict", "count", "runs", "hours"),
    *("errors", "verdicts", "correlation", "correlations", "readings", "choices"),
    *("reading_error", "guess", "layer", "layers"),
    *("error_at", "best_epoch", "last_error"),
    *("rate", "lowest", "mean_gain", "most_gained", "spread"),
    *("network_error", "mean_angle", "largest_angle"),
)


def on_page_markdown(markdown, page, **kwargs):
    """Called by MkDocs with the text of each page."""
    if not page.meta.get("figures"):
        return markdown
    return _recorded().fill(markdown)


@functools.cache  # pages share folders, and `mkdocs serve` builds after every change
def _recorded():
    return Figures(RESULTS)


class Figures:
    """The figures that a page can ask for.

    A folder is read once.

    Args:
        root: The folder of the recorded folders.
    """

    def __init__(self, root):
        self._root = root
        self._store = functools.cache(self._read)
        self._assessed = functools.cache(self._assess)
        self._lines = functools.cache(self._ablation)
        self._runs = functools.cache(self._depth)

    def fill(self, text):
        """A template's text with its figures."""
        functions = {name: getattr(self, name) for name in _FUNCTIONS}
        return templates.fill(text, functions)

    def error(self, folder, model):
        """Our error in percent, the mean over seeds, as the tables have it."""
        by_seed = table.errors(*self._model(folder, model), self._store(folder))
        return f"{statistics.fmean(by_seed.values()):.2f}"

    def paper(self, folder, model):
        """The paper's error in percent for the folder's data set, as printed."""
        held, _ = self._assessed(folder)
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

    def effect(self, folder, label):
        """The effect in an inequality, in margins, with its interval."""
        tested = next(
            t
            for finding in self._assessed(folder)[1].findings
            for t in finding.tested
            if t.check.label == label
        )
        return f"{tested.effect:.1f} margins ({tested.low:.1f} to {tested.high:.1f})"

    def verdict(self, folder, claim):
        """The verdict on a claim, by the claim's name."""
        findings = self._assessed(folder)[1].findings
        return next(f.verdict for f in findings if f.claim.name == claim)

    def count(self, folder, verdict):
        """The number of the paper's claims with a verdict."""
        return counts(self._assessed(folder)[1].findings, True)[verdict]

    def verdicts(self, folders):
        """A table: how many claims hold, do not hold, and so on, in each folder."""
        rows = []
        for label, corrected in (("", True), ("without the correction: ", False)):
            for folder in folders:
                found = counts(self._assessed(folder)[1].findings, corrected)
                rows.append([Markup(label + markdown.code(folder)), *found.values()])
        return markdown.table(["folder", *VERDICTS], rows)

    def correlation(self, folder, place=_ALL_TABLES):
        """The rank correlation with printed figures, with its interval."""
        agreements = self._assessed(folder)[1].agreements
        return _correlation(next(found for found in agreements if found.place == place))

    def correlations(self, folders):
        """A table: the rank correlation with each printed table, with its interval."""
        by_folder = {
            folder: {
                found.place: found for found in self._assessed(folder)[1].agreements
            }
            for folder in folders
        }
        places = [
            place
            for place in (
                *(e.place for e in experiments.EXPERIMENTS.values()),
                _ALL_TABLES,
            )
            if any(place in found for found in by_folder.values())
        ]
        rows = [
            (
                place.removesuffix(" of the paper"),
                *(_correlation(found.get(place)) for found in by_folder.values()),
            )
            for place in places
        ]
        titles = ["", *(Markup(markdown.code(folder)) for folder in folders)]
        return markdown.table(titles, rows, alignment="l" * len(titles))

    def errors(self, folder, experiment):
        """A table: our error of each model of an experiment, and the paper's if any."""
        held, _ = self._assessed(folder)
        (plan,) = [p for p in held.plans() if p.experiment.name == experiment]
        row = table.fill(plan, self._store(folder))
        rows = [[plan.setup.dataset.name, *map(words.ours, row.entries)]]
        if plan.experiment.source:
            rows.append([plan.printed_row(), *map(words.paper, row.entries)])
        # A name may break after each sign.
        names = (markdown.escape(c.name).replace("+", "+<wbr>") for c in plan.columns)
        return markdown.table(["error, %", *map(Markup, names)], rows)

    def guess(self, dataset, characters):
        """The error in percent of a table of frequencies; see `frequencies.error`."""
        return f"{frequencies.error(dataset, characters):.1f}"

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

    def _best(self, folder, model):
        """The best trial of each seed."""
        setup, column = self._model(folder, model)
        cells = setup.cells(column)
        return [table.finished(cell, self._store(folder))[0] for cell in cells]

    def _model(self, folder, name):
        """The setup of a folder with one, and a column, by the model's name."""
        held, _ = self._assessed(folder)
        (setup,) = held.setups
        columns = (column for plan in held.plans() for column in plan.columns)
        return setup, next(column for column in columns if column.name == name)

    def _plan(self, folder):
        """The plan of a folder of one experiment and one data set."""
        held, _ = self._assessed(folder)
        (plan,) = held.plans()
        return plan

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

    def _read(self, folder):
        return store.Store(self._root / folder, make=False)

    def _depth(self, folder):
        return depth.runs(self._assessed(folder)[0].plans(), self._store(folder))

    def _ablation(self, folder):
        return study.of_folder(self._store(folder))

    def _assess(self, folder):
        """The inventory of a recorded folder, and the assessment of its first setup."""
        held = inventory.take(self._store(folder), learning_rates=RATES.get(folder))
        first, *_ = assessment.assess(held, held.setups, held.plans())
        return held, first


def _correlation(found):
    if found is None or found.correlation is None:
        return "not run"
    if found.low is None:
        return f"{found.correlation:.2f}"
    return f"{found.correlation:.2f} ({found.low:.2f} to {found.high:.2f})"
