"""Estimates of time in the text of a page, computed from the measured costs.

A page with `planned: true` at its top is a Jinja template. It may have
`{{ costs("mnist") }}`, `{{ dry_run("--exp A --datasets mnist") }}`, `{{ days() }}` and
`{{ total() / 8 }}`.
"""

import functools

import templates
from absl import flags
from markupsafe import Markup

from keras_asymbp.benchmarks.commands import run
from keras_asymbp.benchmarks.datasets import catalog
from keras_asymbp.benchmarks.escaping import markdown
from keras_asymbp.benchmarks.run import planning
from keras_asymbp.benchmarks.run.costs import COSTS

_WHOLE_GRID = "--exp all --preset paper"
_COLUMNS = 3


def on_page_markdown(text, page, **kwargs):
    """Called by MkDocs with the text of each page."""
    if not page.meta.get("planned"):
        return text
    functions = {each.__name__: each for each in (costs, dry_run, days, total)}
    return templates.fill(text, functions)


def costs(*networks):
    """The costs of networks in milliseconds, as a table."""
    rows = []
    for name in networks:
        found = [COSTS.get((name, normalized)) for normalized in (False, True)]
        times = [_milliseconds(cost and cost.update) for cost in found]
        times += [_milliseconds(cost and cost.forward) for cost in found]
        rows.append([_code(name), *times])
    titles = ["network", "update", "with BN", "forward pass", "with BN"]
    return markdown.table(titles, rows)


def dry_run(arguments, processes=2):
    """What `python -m keras_asymbp.benchmarks` prints with `--dry_run`."""
    return planning.describe(_work(arguments), processes)


def days():
    """The days on one core of each data set of the paper, as a table."""
    found = sorted(_days().items(), key=lambda each: -each[1])
    height = -(-len(found) // _COLUMNS)
    cells = [(_code(name), f"{time:.1f}") for name, time in found]
    rows = [sum(cells[first::height], ()) for first in range(height)]
    return markdown.table(["data set", "days"] * _COLUMNS, rows)


def total():
    """The days of all these data sets."""
    return sum(_days().values())


@functools.cache
def _days():
    names = [
        name
        for name, each in catalog.DATASETS.items()
        if each.paper and each.as_in_paper
    ]
    work = _work(f"{_WHOLE_GRID} --datasets {','.join(names)}")
    return {each.dataset: each.seconds / 86400 for each in work}


def _work(arguments):
    values = flags.FlagValues()
    given = run.Flags(values)
    values(["keras-asymbp", *arguments.split(), "--dry_run"])
    return planning.workloads(run.plans(given), None)


def _code(name):
    return Markup(markdown.code(name))


def _milliseconds(seconds):
    if seconds is None:
        return ""
    return f"{1000 * seconds:.{0 if seconds >= 0.1 else 1}f}"
