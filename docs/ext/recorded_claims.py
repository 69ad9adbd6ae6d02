"""Figures: the verdicts on the paper's claims, and the agreement with its tables."""

from markupsafe import Markup
from recorded_base import Recorded

from keras_asymbp.benchmarks.escaping import markdown
from keras_asymbp.benchmarks.reports import words
from keras_asymbp.benchmarks.results.assessment import assess
from keras_asymbp.benchmarks.results.verdicts import VERDICTS, counts
from keras_asymbp.benchmarks.tables import experiments

_ALL_TABLES = "all tables of the paper"


class Claims(Recorded):
    """Verdicts and rank correlations, as text."""

    def effect(self, folder, label):
        """The effect in an inequality, in margins, with its interval."""
        tested = next(
            t
            for finding in self._assessed(folder).findings
            for t in finding.tested
            if t.check.label == label
        )
        return f"{tested.effect:.1f} margins ({tested.low:.1f} to {tested.high:.1f})"

    def verdict(self, folder, claim):
        """The verdict on a claim, by the claim's name."""
        findings = self._assessed(folder).findings
        return next(f.verdict for f in findings if f.claim.name == claim)

    def count(self, folder, verdict):
        """The number of the paper's claims with a verdict."""
        return counts(self._assessed(folder).findings, True)[verdict]

    def by_size(self, folder, claim, models):
        """A table: a claim and errors of models, by the number of training examples."""
        held, rows = self._held(folder), []
        for found in assess(held, held.setups, ()):
            (finding,) = (f for f in found.findings if f.claim.name == claim)
            errors = (f"{finding.errors[model]:.2f}" for model in models)
            effects = ", ".join(map(words.margins, finding.tested))
            verdict = finding.verdict if finding.tested else ""
            rows.append((f"{found.setup.train_examples:,}", *errors, effects, verdict))
        of_models = (f"{model}, %" for model in models)
        titles = ["training examples", *of_models, "effect, margins", claim]
        return markdown.table(titles, rows)

    def verdicts(self, folders):
        """A table: how many claims hold, do not hold, and so on, in each folder."""
        rows = []
        for label, corrected in (("", True), ("without the correction: ", False)):
            for folder in folders:
                found = counts(self._assessed(folder).findings, corrected)
                rows.append([Markup(label + markdown.code(folder)), *found.values()])
        return markdown.table(["folder", *VERDICTS], rows)

    def correlation(self, folder, place=_ALL_TABLES):
        """The rank correlation with printed figures, with its interval."""
        agreements = self._assessed(folder).agreements
        return _correlation(next(found for found in agreements if found.place == place))

    def correlations(self, folders):
        """A table: the rank correlation with each printed table, with its interval."""
        by_folder = {
            folder: {found.place: found for found in self._assessed(folder).agreements}
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


def _correlation(found):
    if found is None or found.correlation is None:
        return "not run"
    if found.low is None:
        return f"{found.correlation:.2f}"
    return f"{found.correlation:.2f} ({found.low:.2f} to {found.high:.2f})"
