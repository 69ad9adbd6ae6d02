"""Everything that a results folder says about the paper."""

import collections
import dataclasses
from collections.abc import Sequence

from keras_asymbp.benchmarks.results.agreement import Agreement, agreements
from keras_asymbp.benchmarks.results.inventory import Inventory
from keras_asymbp.benchmarks.results.selection import Selection, selections
from keras_asymbp.benchmarks.results.verdicts import Finding, alone, evaluate, largest
from keras_asymbp.benchmarks.tables.plan import Plan, Setup


@dataclasses.dataclass(frozen=True)
class Assessment:
    """A setup against the paper.

    Attributes:
        setup: The setup; None for a folder without results.
        findings: The verdict on each claim.
        agreements: The rank correlation with each printed table.
        selections: What the choice of epoch and rate on the test split is worth.
    """

    setup: Setup | None
    findings: Sequence[Finding]
    agreements: Sequence[Agreement] = ()
    selections: Sequence[Selection] = ()

    @property
    def inequalities(self) -> int:
        """The number of inequalities that p-values are adjusted for."""
        return len({t.check for finding in self.findings for t in finding.tested})


def assess(
    held: Inventory, setups: Sequence[Setup | None], plans: Sequence[Plan]
) -> list[Assessment]:
    """Assesses setups of a results folder.

    Args:
        held: The contents of the folder.
        setups: The setups; None for a folder without results.
        plans: Plans whose models show what selection on the test split is worth.
    """
    most = largest(held.setups)
    of_setup = collections.defaultdict(list)
    for plan in plans:
        of_setup[plan.setup].append(plan)
    return [
        Assessment(
            setup,
            evaluate(setup, held.store, [most.get(alone(setup), setup)]),
            agreements(setup, held.store, held.experiments),
            selections(of_setup[setup], held.store),
        )
        if setup
        else Assessment(None, evaluate(None, held.store))
        for setup in setups
    ]
