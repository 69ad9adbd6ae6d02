"""Tables as data, the paper's and a peer's: a column of a table is one row here."""

import dataclasses
import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

from keras_asymbp.benchmarks.errors import unknown
from keras_asymbp.benchmarks.tables import printed

if TYPE_CHECKING:
    from keras_asymbp.benchmarks.datasets import Dataset

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
        weight_decay: Of this model; None for the protocol's.
        scale: The `scale` of a rule of signs; None for the rule's own.
    """

    name: str
    feedback: str = "BP"
    normalization: str | None = None
    setting: int = 0
    clamped: str | None = None
    batch_schedules: tuple[BatchSchedule, ...] = (((0, None),),)
    weight_decay: float | None = None
    scale: str | None = None


@dataclasses.dataclass(frozen=True)
class Experiment:
    """One table of the paper, or of a peer.

    Attributes:
        name: The name that `--exp` takes.
        title: The paper's title for it.
        table: Where the paper prints it.
        columns: Its models, in the order of the table.
        baseline: The column that the others are compared with.
        source: Whose the printed figures are.
        networks: The network for a data set, by the name of its own network of Table 1;
            none for that one.
        validation_share: The protocol's, unless a command says otherwise.
    """

    name: str
    title: str
    table: str
    columns: tuple[Column, ...]
    baseline: str = "SGD"
    source: str = "paper"
    networks: tuple[tuple[str, str], ...] = ()
    validation_share: float = 0.0

    @property
    def place(self) -> str:
        """Where the figures are printed, in words."""
        return self.table + (" of the paper" if self.source == "paper" else "")

    def row(self, dataset: "Dataset", network: str) -> str:
        """The row of printed figures that is for a network on a data set."""
        if self.source == "paper":
            return dataset.paper or ""
        return f"{dataset.paper or dataset.name} {network}"

    def printed(self, dataset: "Dataset", network: str) -> str:
        """Whose figures stand beside such a row, and which: for people."""
        row = self.row(dataset, network)
        return f"{self.source}: {row if printed.has(row) else 'no row'}"


def get(name: str) -> Experiment:
    """Returns the experiment of that name.

    Raises:
        UsageError: If there is none.
    """
    if name not in ALL:
        raise unknown("experiment", name, (*ALL, "all"))
    return ALL[name]


def get_all(names: list[str]) -> tuple[Experiment, ...]:
    """Returns the experiments of these names, each once; "all" is the paper's."""
    if "all" in names:
        return tuple(EXPERIMENTS.values())
    return tuple(get(name) for name in dict.fromkeys(names))


def select(
    experiments: Sequence[Experiment], names: list[str] | None
) -> list[tuple[Experiment, tuple[Column, ...]]]:
    """Returns each experiment with those of its columns that have these names.

    All columns where there are no names; an experiment without any is left out.

    Raises:
        UsageError: If a name is no column's.
    """
    known = dict.fromkeys(c.name for e in experiments for c in e.columns)
    for name in names or ():
        if name not in known:
            of = ", ".join(experiment.name for experiment in experiments)
            raise unknown(f"model of experiment {of}", name, known)
    wanted = names or known
    chosen = [
        (experiment, tuple(c for c in experiment.columns if c.name in wanted))
        for experiment in experiments
    ]
    return [(experiment, columns) for experiment, columns in chosen if columns]


def _with_clamped(*columns: Column) -> tuple[Column, ...]:
    """Each column, then its Bottom and its Top (section 5, experiment C2)."""
    return tuple(
        dataclasses.replace(
            column, name=" ".join(filter(None, (column.name, clamped))), clamped=clamped
        )
        for column, clamped in itertools.product(columns, (None, "Bottom", "Top"))
    )


def _concordance(rule: str) -> tuple[Column, ...]:
    """A rule with ever more of the signs concordant, after the baseline (Table 3)."""
    return (
        SGD,
        *(
            Column(f"{name}+BN+BM", feedback=name, normalization="BN", setting=1)
            for name in (f"{rule}-100", f"{rule}-75", f"{rule}-50", f"{rule}-25", rule)
        ),
    )


# Columns of more than one table. Only these two have learnable BN parameters.
SGD = Column("SGD")
BN = Column("BN", normalization="BN learnable")
BN_BM = Column("BN+BM", normalization="BN learnable", setting=1)
NUSF = Column("NuSF", feedback="NuSF")
USF_BN = Column("uSF+BN", feedback="uSF", normalization="BN")
USF_BN_BM = Column("uSF+BN+BM", feedback="uSF", normalization="BN", setting=1)
RNDF = Column("RndF", feedback="RndF")
RNDF_BN_BM = Column("RndF+BN+BM", feedback="RndF", normalization="BN", setting=1)

_SIGNS = ("uSF", "brSF", "frSF")

# The paper's tables.
EXPERIMENTS = {
    experiment.name: experiment
    for experiment in (
        Experiment(
            name="A",
            title="Sign-concordant feedback",
            table="Table 2",
            columns=(
                SGD,
                Column("BM", setting=1),
                BN,
                BN_BM,
                Column("uSF", feedback="uSF"),
                NUSF,
                Column(
                    "uSF+BM",
                    feedback="uSF",
                    setting=1,
                    batch_schedules=(((0, None),), ((0, None), (3, 500))),
                ),
                USF_BN,
                USF_BN_BM,
                Column("brSF+BN+BM", feedback="brSF", normalization="BN", setting=1),
                Column("frSF+BN+BM", feedback="frSF", normalization="BN", setting=1),
            ),
        ),
        Experiment(
            name="B1",
            title="Sign concordance violated with probability p, anew for each batch",
            table="Table 3, left",
            columns=_concordance("brSF"),
        ),
        Experiment(
            name="B2",
            title="Sign concordance violated with probability p, fixed",
            table="Table 3, right",
            columns=_concordance("frSF"),
        ),
        Experiment(
            name="C1",
            title="Fixed random feedback",
            table="Table 4, left",
            columns=(
                SGD,
                RNDF,
                NUSF,
                BN,
                Column("RndF+BN", feedback="RndF", normalization="BN"),
                Column("RndF+BM", feedback="RndF", setting=1),
                RNDF_BN_BM,
                USF_BN_BM,
            ),
        ),
        Experiment(
            name="C2",
            title="Control experiments for fixed random feedback",
            table="Table 4, right",
            columns=_with_clamped(SGD, RNDF, RNDF_BN_BM, USF_BN_BM),
        ),
        Experiment(
            name="BM",
            title="Settings of Batch Manhattan",
            table="Table 5",
            columns=(
                SGD,
                *(Column(f"BM{number}", setting=number) for number in (1, 2, 3)),
                USF_BN,
                *(
                    dataclasses.replace(
                        USF_BN_BM, name=f"uSF+BN+BM{number}", setting=number
                    )
                    for number in (1, 2, 3)
                ),
            ),
        ),
    )
}

# What no table of the paper has.
FA_BENCH = Experiment(
    name="FA-bench",
    title="Rules of feedback on networks that came later",
    table="Benchmarks.md of BioTorch 0.0.16",
    columns=(
        Column("BP"),
        Column("FA", feedback="RndF"),
        # BioTorch's V is about as large as W is at its start.
        *(Column(rule, feedback=rule, scale="init_std") for rule in _SIGNS),
        Column("DFA", feedback="DFA"),
        # In fewer updates than hundred thousands, the protocol's decay doesn't bring W
        # and V together.
        Column("KP", feedback="KP", weight_decay=1.0),
        Column("WM", feedback="WM"),
    ),
    baseline="BP",
    source="BioTorch",
    networks=(("mnist", "lenet-mnist"), ("cifar", "resnet-20")),
    validation_share=0.1,
)

ALL = {**EXPERIMENTS, FA_BENCH.name: FA_BENCH}
