"""The tables of the paper and of a peer as data: one entry for each column."""

import dataclasses
import functools
import itertools
from collections.abc import Sequence

from keras_asymbp._names import cased
from keras_asymbp.benchmarks.datasets import Dataset
from keras_asymbp.benchmarks.errors import unknown

# Batch size from an epoch (counted from 0) on; None for the protocol's.
BatchSchedule = tuple[tuple[int, int | None], ...]

# Optimizers beside Batch Manhattan; `training.optimizers` makes them.
OPTIMIZERS = ("Signum", "Lion", "Adam", "Muon")


@dataclasses.dataclass(frozen=True)
class Column:
    """One model of a table.

    Attributes:
        name: The paper's name for it.
        rule: Name of the feedback rule of every layer; or `DFA` or `DRTP`, direct
            feedback of the error or the target.
        flip_probability: Probability p that a sign of the feedback is wrong (Table 3),
            in [0, 1]; None for rules without random signs.
        normalization: None, "BN" (no learnable parameters) or "BN learnable".
        setting: Batch Manhattan's setting; 0 is SGD.
        clamped: None; "Bottom": the last layer stays at its random start; "Top": all
            layers but the last do.
        batch_schedules: The training procedures; the best is reported.
        weight_decay: The model's own weight decay; None for the protocol's.
        scale: The `scale` of a sign-concordant rule; None for the rule's default.
        learning_rates: The model's own rates to search; None for the protocol's.
        optimizer: One of `OPTIMIZERS`; None for Batch Manhattan with `setting`.
    """

    name: str
    rule: str = "BP"
    flip_probability: float | None = None
    normalization: str | None = None
    setting: int = 0
    clamped: str | None = None
    batch_schedules: tuple[BatchSchedule, ...] = (((0, None),),)
    weight_decay: float | None = None
    scale: str | None = None
    learning_rates: tuple[float, ...] | None = None
    optimizer: str | None = None

    @functools.cached_property
    def feedback(self) -> str:
        """The layer's `feedback` argument.

        >>> Column("p = 25 %", rule="brSF", flip_probability=0.25).feedback
        'brSF-25'
        """
        return self.rule + (
            f"-{100 * self.flip_probability:g}" if self.flip_probability else ""
        )

    @functools.cached_property
    def nameless(self) -> "Column":
        """The model without its name: two tables may name one model differently."""
        return dataclasses.replace(self, name="")


@dataclasses.dataclass(frozen=True)
class Experiment:
    """One table of the paper, of a peer, or of our own.

    Attributes:
        name: Its name for `--exp`.
        title: Its title.
        table: Number of the printed table, or its place in a peer's publication.
        columns: Its models, in the table's order.
        baseline: Name of the column that the others are compared with.
        source: Source of the printed figures; None without printed figures.
        figures: Printed errors in percent that are not in `tables/printed`: triples of
            a data set's name, a column's name and the error.
        networks: Pairs of a data set's own network (Table 1) and the network used
            instead; data sets without a pair keep their own.
        validation_share: Default of the protocol's `validation_share`.
        signs: How signs are drawn ("batchwise" or "fixed"), if the columns vary the
            share of wrong signs; labels its line in the report. Otherwise None.
        file: The user's file that it was read from, as typed; None for an experiment of
            the package. The same table in another file is the same experiment.
    """

    name: str
    title: str
    table: str
    columns: tuple[Column, ...]
    baseline: str = "SGD"
    source: str | None = None
    networks: tuple[tuple[str, str], ...] = ()
    validation_share: float = 0.0
    signs: str | None = None
    figures: tuple[tuple[str, str, float], ...] = ()
    file: str | None = dataclasses.field(default=None, compare=False)

    @property
    def place(self) -> str:
        """Where the figures are printed, for display."""
        if self.source != "paper":
            return self.source if self.source and self.figures else self.table
        return f"{self.table} {'beside' if self.file else 'of'} the paper"

    @property
    def argument(self) -> str:
        """Its value for `--exp`: the user's file, or the name."""
        return self.file or self.name

    def row(self, dataset: Dataset, network: str) -> str:
        """The row of printed figures for a network on a data set."""
        if self.source == "paper":
            return dataset.paper or ""
        if self.figures:
            return dataset.name
        return f"{dataset.paper or dataset.name} {network}" if self.source else ""


def get(name: str) -> Experiment:
    """Returns an experiment by name.

    Raises:
        UsageError: If no experiment has this name.
    """
    if name not in ALL:
        other = "a .yaml or .py file with a table of your own"
        raise unknown("experiment", name, (*ALL, "all"), other)
    return ALL[name]


def get_all(names: Sequence[str]) -> tuple[Experiment, ...]:
    """Returns experiments by name, without repetition; "all" is all of the paper's."""
    listed = (EXPERIMENTS if name == "all" else (name,) for name in names)
    return tuple(map(get, dict.fromkeys(itertools.chain.from_iterable(listed))))


def select(
    experiments: Sequence[Experiment], names: list[str] | None
) -> list[tuple[Experiment, tuple[Column, ...]]]:
    """Returns each experiment with its columns of these names.

    With None for names, all columns. Experiments without a selected column are omitted.
    A name may differ from that of one column in case only.

    Raises:
        UsageError: If no column has a name.
    """
    known = dict.fromkeys(c.name for e in experiments for c in e.columns)
    names = names and [cased(name, known) for name in names]
    for name in names or ():
        if name not in known:
            listed = ", ".join(experiment.name for experiment in experiments)
            raise unknown(f"model of experiment {listed}", name, known)
    wanted = known if names is None else names
    chosen = [
        (experiment, tuple(c for c in experiment.columns if c.name in wanted))
        for experiment in experiments
    ]
    return [(experiment, columns) for experiment, columns in chosen if columns]


def without_rates(columns: Sequence[Column]) -> tuple[Column, ...]:
    """The columns, all searched at the rates of the protocol.

    >>> {c.learning_rates for c in without_rates(get("BM-family").columns)}
    {None}
    """
    return tuple(dataclasses.replace(c, learning_rates=None) for c in columns)


def _with_clamped(*columns: Column) -> tuple[Column, ...]:
    """Each column, followed by its Bottom and Top (section 5, experiment C2).

    If only the last layer learns, no error passes a V: columns that differ only in
    their rule share the runs of the first one's Top.
    """
    rules: dict[tuple[str | None, int], str] = {}
    for column in columns:
        rules.setdefault((column.normalization, column.setting), column.rule)
    return tuple(
        dataclasses.replace(
            column,
            name=" ".join(filter(None, (column.name, clamped))),
            clamped=clamped,
            rule=(
                rules[column.normalization, column.setting]
                if clamped == "Top"
                else column.rule
            ),
        )
        for column, clamped in itertools.product(columns, (None, "Bottom", "Top"))
    )


def _signs(rule: str, flip_probability: float = 0.0) -> Column:
    """A rule with random signs, as in Tables 2 and 3."""
    column = Column("", rule, flip_probability, normalization="BN", setting=1)
    return dataclasses.replace(column, name=f"{column.feedback}+BN+BM")


def _concordance(rule: str) -> tuple[Column, ...]:
    """The baseline, then a rule with fewer and fewer wrong signs (Table 3)."""
    return SGD, *(_signs(rule, p) for p in (1.0, 0.75, 0.5, 0.25, 0.0))


# Columns of several tables. Only BN and BN+BM have learnable BN parameters.
SGD = Column("SGD")
BN = Column("BN", normalization="BN learnable")
BN_BM = Column("BN+BM", normalization="BN learnable", setting=1)
NUSF = Column("NuSF", rule="NuSF")
USF_BN = Column("uSF+BN", rule="uSF", normalization="BN")
USF_BN_BM = Column("uSF+BN+BM", rule="uSF", normalization="BN", setting=1)
RNDF = Column("RndF", rule="RndF")
RNDF_BN_BM = Column("RndF+BN+BM", rule="RndF", normalization="BN", setting=1)

# The paper's tables.
EXPERIMENTS = {
    experiment.name: experiment
    for experiment in (
        Experiment(
            name="A",
            title="Sign-concordant feedback",
            table="Table 2",
            source="paper",
            columns=(
                SGD,
                Column("BM", setting=1),
                BN,
                BN_BM,
                Column("uSF", rule="uSF"),
                NUSF,
                Column(
                    "uSF+BM",
                    rule="uSF",
                    setting=1,
                    batch_schedules=(((0, None),), ((0, None), (3, 500))),
                ),
                USF_BN,
                USF_BN_BM,
                _signs("brSF"),
                _signs("frSF"),
            ),
        ),
        Experiment(
            name="B1",
            title="Sign concordance violated with probability p, anew for each batch",
            table="Table 3, left",
            source="paper",
            columns=_concordance("brSF"),
            signs="batchwise",
        ),
        Experiment(
            name="B2",
            title="Sign concordance violated with probability p, fixed",
            table="Table 3, right",
            source="paper",
            columns=_concordance("frSF"),
            signs="fixed",
        ),
        Experiment(
            name="C1",
            title="Fixed random feedback",
            table="Table 4, left",
            source="paper",
            columns=(
                SGD,
                RNDF,
                NUSF,
                BN,
                Column("RndF+BN", rule="RndF", normalization="BN"),
                Column("RndF+BM", rule="RndF", setting=1),
                RNDF_BN_BM,
                USF_BN_BM,
            ),
        ),
        Experiment(
            name="C2",
            title="Control experiments for fixed random feedback",
            table="Table 4, right",
            source="paper",
            columns=_with_clamped(SGD, RNDF, RNDF_BN_BM, USF_BN_BM),
        ),
        Experiment(
            name="BM",
            title="Settings of Batch Manhattan",
            table="Table 5",
            source="paper",
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


def _of_the_paper(*names: str) -> tuple[Column, ...]:
    """The paper's columns of these names."""
    return tuple(
        next(c for e in EXPERIMENTS.values() for c in e.columns if c.name == name)
        for name in names
    )


# A peer's benchmark: rules and networks that the paper does not have.
FA_BENCH = Experiment(
    name="FA-bench",
    title="Rules of feedback on networks that came later",
    table="Benchmarks.md of BioTorch 0.0.16",
    columns=(
        Column("BP"),
        Column("FA", rule="RndF"),
        # BioTorch's V is about as large as the initial W.
        Column("uSF", "uSF", scale="init_std"),
        Column("brSF", "brSF", 0.0, scale="init_std"),
        Column("frSF", "frSF", 0.0, scale="init_std"),
        Column("DFA", rule="DFA"),
        # With fewer than some 100,000 updates the protocol's decay does not bring W and
        # V together.
        Column("KP", rule="KP", weight_decay=1.0),
        Column("WM", rule="WM"),
    ),
    baseline="BP",
    source="BioTorch",
    networks=(("mnist", "lenet-mnist"), ("cifar", "resnet-20")),
    validation_share=0.1,
)

# Around the usual rates of these optimizers, whose steps don't depend on the gradient's
# size: as many rates as the paper's, and closer.
_RATES = (5e-3, 1.5e-3, 5e-4, 1.5e-4, 5e-5)


def _optimized(rule: str) -> tuple[Column, ...]:
    """A rule with each of the optimizers."""
    start = "" if rule == "BP" else f"{rule}+"
    return tuple(
        Column(f"{start}{name}", rule, learning_rates=_RATES, optimizer=name)
        for name in OPTIMIZERS
    )


# Optimizers that users have, with the question of Table 5.
BM_FAMILY = Experiment(
    name="BM-family",
    title="Optimizers that ignore the size of the gradient",
    table="no table of the paper",
    columns=(
        *_of_the_paper("SGD", "BM"),
        *_optimized("BP"),
        *_of_the_paper("uSF", "uSF+BM"),
        *_optimized("uSF"),
    ),
)

# A transformer is trained by Adam. "FA" and the size of uSF's V are those of FA-bench.
TEXT = Experiment(
    name="Text",
    title="A transformer of characters",
    table="no table of the paper",
    columns=tuple(
        dataclasses.replace(column, learning_rates=_RATES, optimizer="Adam")
        for column in FA_BENCH.columns
        if column.name in ("BP", "FA", "uSF", "DFA")
    ),
    baseline="BP",
)


@dataclasses.dataclass(frozen=True)
class Help:
    """Stabilization of the training in the depth study.

    Attributes:
        name: Suffix of the model's name; empty without help.
        normalization: See `Column`.
        setting: See `Column`.
        learning_rates: The rates to search. The paper's are too far apart for a deep
            network without help.
    """

    name: str
    normalization: str | None
    setting: int
    learning_rates: tuple[float, ...]


# Without help the error must keep its magnitude on the way down; with BN and BM, as in
# the paper, only its direction matters.
HELPS = (
    Help("", None, 0, (2e-3, 2e-4, 2e-5)),
    Help("BN+BM", "BN", 1, (1e-2, 2e-3, 2e-4)),
)
DEPTH_RULES = ("BP", "uSF", "NuSF", "brSF", "frSF", "RndF", "KP", "WM", "DFA")

DEPTH = Experiment(
    name="Depth",
    title="Error and alignment against depth",
    table="no table of the paper",
    columns=tuple(
        Column(
            "+".join(filter(None, (rule, helped.name))),
            rule=rule,
            flip_probability=0.0 if rule in ("brSF", "frSF") else None,
            normalization=helped.normalization,
            setting=helped.setting,
            # Weight decay makes W and V of KP converge. With so few updates the
            # protocol's decay has no effect; with 1.0, W - V falls to a fifth in two
            # epochs at the rate 2e-3.
            weight_decay=1.0 if rule == "KP" else None,
            learning_rates=helped.learning_rates,
        )
        for helped in HELPS
        for rule in DEPTH_RULES
    ),
    baseline="BP",
    # One of the study's networks; `depth.study` takes them in turn.
    networks=(("mnist", "residual-20"), ("cifar", "residual-20")),
)

# The columns by which the readings of what the paper leaves open are compared.
ABLATION = Experiment(
    name="ablation",
    title="Readings of what the paper leaves open",
    table="Tables 2, 3 and 4",
    source="paper",
    columns=_of_the_paper(
        *("SGD", "BM", "BN", "uSF", "NuSF", "uSF+BN"),
        *("RndF", "RndF+BM", "brSF-100+BN+BM"),
    ),
)

ALL = {
    experiment.name: experiment
    for experiment in (*EXPERIMENTS.values(), FA_BENCH, BM_FAMILY, TEXT, DEPTH)
}
