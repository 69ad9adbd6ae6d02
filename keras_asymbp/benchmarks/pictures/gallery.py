"""All pictures of a setup."""

from matplotlib.figure import Figure

from keras_asymbp.benchmarks.pictures import agreement, curves, forest, signs
from keras_asymbp.benchmarks.results.assessment import assess
from keras_asymbp.benchmarks.results.inventory import Inventory
from keras_asymbp.benchmarks.results.table import fill
from keras_asymbp.benchmarks.tables.plan import Setup


def draw(held: Inventory, setup: Setup) -> dict[str, Figure]:
    """Draws the pictures of a setup that its results suffice for, by name.

    - `agreement`: our errors against the paper's;
    - `signs`: error against the share of wrong signs, beside the paper's curve;
    - `claims`: the effect in each inequality of each claim, with its interval;
    - `curves`: the test error after each epoch.

    Args:
        held: The contents of the results folder.
        setup: The setup.
    """
    plans = [plan for plan in held.plans() if plan.setup == setup]
    rows = [fill(plan, held.store) for plan in plans]
    (assessment,) = assess(held, [setup], plans)
    drawn = {
        "agreement": agreement.draw(rows, assessment.agreements),
        "signs": signs.draw(rows),
        "claims": forest.draw(assessment.findings),
        "curves": curves.draw(rows),
    }
    return {name: figure for name, figure in drawn.items() if figure}
