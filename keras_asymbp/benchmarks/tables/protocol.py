"""How a model is trained and scored: sections 3 and 5 of the paper, as data."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from keras_asymbp.benchmarks.datasets import Dataset
from keras_asymbp.benchmarks.datasets.prepared import Fit
from keras_asymbp.benchmarks.errors import UsageError
from keras_asymbp.benchmarks.networks import NETWORKS

# Share of the 65 epochs at the base rate, at a tenth and at a hundredth of it.
_PHASES = (50, 10, 5)


def _later(default):
    """A field that came when there were results: at its default it is not told."""
    return dataclasses.field(default=default, metadata={"later": True})


@dataclasses.dataclass(frozen=True)
class Protocol:
    """The settings that every model of an experiment shares.

    What the paper says: epochs, learning rates (the base rate 5e-4 times 100 to 0.01),
    batch size, momentum, and the batches and alpha of the normalization's statistics.
    What it leaves open has our choice for a default, with the reason in the
    documentation ("What the paper leaves open").

    Attributes:
        architecture: A network of Table 1, or None for the one that the paper uses for
            the data set. Images are resized to fit it.
        train_examples: How many training examples are used, of every class as many;
            None for all.
        test_examples: The same of test examples.
        validation_share: The share of the training examples that is held out, of every
            class as many. The rate and the epoch are chosen on these, and the figure is
            the error on the test examples there. 0 is the paper's way: the lowest error
            on the test examples.
        augmentation: None, or "standard": training images are moved by up to 4 pixels
            each way, and colour images mirrored at random.
        alignment_batches: On how many training batches each trial's gradients are
            compared with backpropagation's at its end; None for no comparison.
    """

    epochs: int = 65
    learning_rates: tuple[float, ...] = (5e-2, 5e-3, 5e-4, 5e-5, 5e-6)
    batch_size: int = 100
    momentum: float = 0.9
    statistics_batches: int = 20
    statistics_alpha: float = 0.05
    # Left open by the paper.
    weight_decay: float = 5e-4
    kernel_initializer: str = "he_normal"
    normalization_per: str = "channel"
    input_scale: float = 1 / 255
    # Other than in the paper, on request.
    architecture: str | None = None
    train_examples: int | None = None
    test_examples: int | None = None
    validation_share: float = _later(0.0)
    augmentation: str | None = _later(None)
    alignment_batches: int | None = _later(None)

    def settings(self) -> dict[str, Any]:
        """The fields by name; without those of `_later` that say nothing."""
        return {
            field.name: value
            for field in dataclasses.fields(self)
            for value in [getattr(self, field.name)]
            if not field.metadata.get("later") or value != field.default
        }

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> "Protocol":
        """The protocol of a stored trial's settings, which have one learning rate.

        Raises:
            KeyError: If they lack a field.
        """
        fields = [f for f in dataclasses.fields(cls) if f.name != "learning_rates"]
        return cls(
            **{
                field.name: settings.get(field.name, field.default)
                if field.metadata.get("later")
                else settings[field.name]
                for field in fields
            }
        )

    def network(self, dataset: Dataset) -> str:
        """The network trained on a data set: the one asked for, or its own."""
        return self.architecture or dataset.network

    def fit(self, dataset: Dataset, data_dir: str | None = None) -> Fit:
        """The inputs and the examples of a data set that are trained on."""
        shape = NETWORKS[self.network(dataset)].input_shape
        return Fit(dataset, shape, self.train_examples, self.test_examples, data_dir)

    def check(self, dataset: Dataset) -> None:
        """Raises UsageError if it can't train on a data set."""
        own = NETWORKS[dataset.network].input_shape
        if self.augmentation and len(own) < 3:
            raise UsageError(
                f"--augmentation is for images, and {dataset.name} has none: leave it "
                "out"
            )
        if len(own) != len(NETWORKS[self.network(dataset)].input_shape):
            fitting = [n for n, a in NETWORKS.items() if len(a.input_shape) == len(own)]
            raise UsageError(
                f"the inputs of {dataset.name} don't fit the network "
                f"'{self.architecture}': choose from {', '.join(fitting)}"
            )

    def rate_factor(self, epoch: int) -> float:
        """What the learning rate is multiplied by in an epoch, counted from 0."""
        first, second, _ = phases(self.epochs)
        if epoch < first:
            return 1.0
        return 0.1 if epoch < first + second else 0.01


# What a command asks for, a flag each, and no part of what makes a preset that leaves
# them open.
REQUESTED = (
    *("train_examples", "test_examples", "architecture"),
    *("validation_share", "augmentation", "alignment_batches"),
)
AUGMENTATIONS = ("standard",)

PRESETS = {
    # That everything runs, no more: its figures say nothing.
    "smoke": Protocol(
        epochs=1, learning_rates=(5e-3, 5e-4), train_examples=500, test_examples=200
    ),
    "quick": Protocol(epochs=6),
    "paper": Protocol(),
}


def phases(epochs: int) -> tuple[int, int, int]:
    """Splits epochs as the paper's 65 are: 50 : 10 : 5.

    The two later phases are rounded, and get one epoch each where there are three or
    more in all.

    >>> phases(65), phases(6), phases(2)
    ((50, 10, 5), (4, 1, 1), (2, 0, 0))
    """
    if epochs < len(_PHASES):
        return epochs, 0, 0
    second, third = (max(1, round(epochs * n / sum(_PHASES))) for n in _PHASES[1:])
    return epochs - second - third, second, third


def score(result: Mapping[str, Any]) -> float:
    """What a trial is chosen by: its lowest error on the examples that choose.

    These are the held out ones where there are such, else the test examples.
    """
    return result.get("validation_error", result["best_error"])


def chance_error(num_classes: int) -> float:
    """The error of guessing, as a share: the score of a run that finishes no epoch.

    >>> chance_error(10)
    0.9
    """
    return 1 - 1 / num_classes
