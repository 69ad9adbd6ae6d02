"""The paper's tables as data: a column of a table is one row here."""

import dataclasses
import itertools

from keras_asymbp.benchmarks.errors import unknown

# Batch size from an epoch (counted from 0) on; None is the protocol's.
BatchSchedule = tuple[tuple[int, int | None], ...]


@dataclasses.dataclass(frozen=True)
class Column:
    """One model of a table.

    Attributes:
        name: As the paper writes it.
        feedback: The feedback rule of every layer.
        normalization: None, "BN" (no learnable parameters) or "BN learnable".
        setting: Batch Manhattan's setting; 0 is SGD.
        clamped: None; "Bottom": the last layer stays at its random start; "Top": all
            layers but the last do.
        batch_schedules: The training procedures; the best is reported.
    """

    name: str
    feedback: str = "BP"
    normalization: str | None = None
    setting: int = 0
    clamped: str | None = None
    batch_schedules: tuple[BatchSchedule, ...] = (((0, None),),)


@dataclasses.dataclass(frozen=True)
class Experiment:
    """One table of the paper.

    Attributes:
        name: The name that `--exp` takes.
        title: The paper's title for it.
        table: Where the paper prints it.
        columns: Its models, in the order of the table.
        baseline: The column that the others are compared with.
    """

    name: str
    title: str
    table: str
    columns: tuple[Column, ...]
    baseline: str = "SGD"

    def select(self, names: list[str] | None) -> tuple[Column, ...]:
        """Returns the columns with these names, all where there are none.

        Raises:
            UsageError: If a name is no column's.
        """
        if not names:
            return self.columns
        by_name = {column.name: column for column in self.columns}
        for name in names:
            if name not in by_name:
                raise unknown(f"model of experiment {self.name}", name, by_name)
        return tuple(column for column in self.columns if column.name in names)


def get(name: str) -> Experiment:
    """Returns the experiment of that name.

    Raises:
        UsageError: If there is none.
    """
    if name not in EXPERIMENTS:
        raise unknown("experiment", name, EXPERIMENTS)
    return EXPERIMENTS[name]


def _with_clamped(*columns: Column) -> tuple[Column, ...]:
    """Each column, then its Bottom and its Top (section 5, experiment C2)."""
    return tuple(
        dataclasses.replace(
            column, name=" ".join(filter(None, (column.name, clamped))), clamped=clamped
        )
        for column, clamped in itertools.product(columns, (None, "Bottom", "Top"))
    )


EXPERIMENTS = {
    experiment.name: experiment
    for experiment in (
        Experiment(
            name="C2",
            title="Control experiments for fixed random feedback",
            table="Table 4, right",
            columns=_with_clamped(
                Column("SGD"),
                Column("RndF", feedback="RndF"),
                Column("RndF+BN+BM", feedback="RndF", normalization="BN", setting=1),
                Column("uSF+BN+BM", feedback="uSF", normalization="BN", setting=1),
            ),
        ),
    )
}
