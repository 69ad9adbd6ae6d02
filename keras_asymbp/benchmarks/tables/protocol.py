"""Training and scoring of a model: sections 3 and 5 of the paper as data."""

import dataclasses
import itertools
from collections.abc import Mapping
from typing import Any

from keras_asymbp.benchmarks.datasets import Dataset
from keras_asymbp.benchmarks.datasets.prepared import Fit
from keras_asymbp.benchmarks.errors import UsageError
from keras_asymbp.benchmarks.networks import NETWORKS

# Increased whenever a code change alters the result of a trial with the same settings.
# 2: first weights, order and augmentation are drawn on the host, images are resized by
# Pillow, M has 16 bits: the same on every backend.
REVISION = 2
# Epochs at the base rate, at a tenth of it, at a hundredth and so on, by the schedule's
# name; other numbers of epochs are split in the same ratio.
SCHEDULES = {"paper": (50, 10, 5), "biotorch": (100, 50, 50, 50)}


def later_field(default: Any) -> Any:
    """A protocol's field added after results existed.

    It is omitted from the settings at its default, so old trial ids stay valid.
    """
    return dataclasses.field(default=default, metadata={"later": True})


@dataclasses.dataclass(frozen=True)
class Protocol:
    """The training settings that all models of an experiment share.

    The paper gives epochs, learning rates (the base rate 5e-4 times 100 to 0.01), batch
    size, momentum, and the batches and alpha of the normalization's statistics. For
    settings that it leaves open the default is our choice, with the reason in the
    documentation ("What the paper leaves open").

    Attributes:
        architecture: Name of a network, or None for the data set's own. Images are
            resized to fit it.
        train_examples: Number of training examples, balanced across classes; None for
            all.
        test_examples: Number of test examples, balanced across classes; None for all.
        validation_share: Share of the training examples held out, balanced across
            classes, in [0, 1). Rate and epoch are chosen by the error on them, and the
            figure is the test error at that rate and epoch. 0 for the paper's
            procedure, where the figure is the lowest test error.
        augmentation: None, or "standard": training images are shifted at random by up
            to 4 pixels in each direction, and colour images also mirrored at random.
        alignment_batches: Number of training batches on which the errors and gradients
            at the end of a trial are compared with backpropagation's, layer by layer;
            None for no comparison.
        loss_reduction: "sum" over the mini-batch, as equation 3 has it, or "mean".
        bias_decay: Whether the weight decay acts on biases, too.
        schedule: When the learning rate falls to a tenth: a key of `SCHEDULES`.
        revision: That of the code that trains. Stored trials may have an earlier one;
            they are reported, each revision by itself.
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
    # Deviations from the paper, on request.
    architecture: str | None = None
    train_examples: int | None = None
    test_examples: int | None = None
    validation_share: float = later_field(0.0)
    augmentation: str | None = later_field(None)
    alignment_batches: int | None = later_field(None)
    loss_reduction: str = later_field("sum")
    bias_decay: bool = later_field(True)
    schedule: str = later_field("paper")
    revision: int = REVISION

    def settings(self) -> dict[str, Any]:
        """The fields by name, without each `later_field` at its default."""
        return {
            field.name: value
            for field in dataclasses.fields(self)
            for value in [getattr(self, field.name)]
            if not field.metadata.get("later") or value != field.default
        }

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> "Protocol":
        """The protocol of a stored trial, with the default learning rates.

        Raises:
            KeyError: If the settings lack a field.
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
        """The network trained on a data set: the requested one, or its own."""
        return self.architecture or dataset.network

    def fit(self, dataset: Dataset, data_dir: str | None = None) -> Fit:
        """The input shape and the examples of a data set for training."""
        shape = NETWORKS[self.network(dataset)].input_shape
        return Fit(dataset, shape, self.train_examples, self.test_examples, data_dir)

    def check(self, dataset: Dataset) -> None:
        """Raises UsageError if the protocol does not suit a data set."""
        self.check_augmentation(dataset)
        self.check_network(dataset)

    def check_augmentation(self, dataset: Dataset) -> None:
        """Raises UsageError if the augmentation does not suit a data set."""
        if self.augmentation and _kind(dataset.network) != "images":
            raise UsageError(
                f"--augmentation is for images, and {dataset.name} has none: omit the "
                "flag"
            )

    def check_network(self, dataset: Dataset) -> None:
        """Raises UsageError if the network does not suit a data set."""
        own = _kind(dataset.network)
        network = self.network(dataset)
        if own != (taken := _kind(network)):
            raise UsageError(
                f"{dataset.name} has {own}, and the network '{network}' takes {taken}: "
                f"choose one for {own} from those shown by keras-asymbp run "
                "--list=networks"
            )

    def rate_factor(self, epoch: int) -> float:
        """The learning rate's factor in an epoch, counted from 0."""
        ends = itertools.accumulate(phases(self.epochs, self.schedule))
        return 10.0 ** -sum(epoch >= end for end in ends)


def _kind(network: str) -> str:
    """A network's inputs, in words."""
    kinds = {1: "vectors", 2: "texts", 3: "images"}
    return kinds[len(NETWORKS[network].input_shape)]


# Settings with a flag of their own. Changing one does not change the preset, unless the
# preset sets it.
REQUESTED = (
    *("train_examples", "test_examples", "architecture"),
    *("validation_share", "augmentation", "alignment_batches"),
)
AUGMENTATIONS = ("standard",)

PRESETS = {
    # Checks that everything runs; its figures have no meaning.
    "smoke": Protocol(
        epochs=1, learning_rates=(5e-3, 5e-4), train_examples=500, test_examples=200
    ),
    "quick": Protocol(epochs=6),
    "paper": Protocol(),
    # BioTorch's for CIFAR-10 by SGD: `benchmark_configs/cifar10/*/sgd/*.yaml`. It takes
    # the mean over a batch of 128, with the rate 0.1 (DFA on ResNet-20: 0.001) and the
    # decay 1e-4. Of the sum, 0.1 / 128 and 128 * 1e-4 make the same steps.
    "biotorch": Protocol(
        epochs=250,
        learning_rates=(0.1 / 128, 0.001 / 128),
        batch_size=128,
        weight_decay=128 * 1e-4,
        kernel_initializer="glorot_uniform",
        schedule="biotorch",
    ),
}


def phases(epochs: int, schedule: str = "paper") -> tuple[int, ...]:
    """Splits epochs in the ratio of a schedule.

    Phases but the first are rounded. Each has at least one epoch, if there are enough
    epochs for that; otherwise the first has all of them.

    Args:
        epochs: Number of epochs, 1 or more.
        schedule: A key of `SCHEDULES`.

    >>> phases(65), phases(6), phases(2)
    ((50, 10, 5), (4, 1, 1), (2, 0, 0))
    >>> phases(250, "biotorch"), phases(5, "biotorch")
    ((100, 50, 50, 50), (2, 1, 1, 1))
    """
    _, *later = shape = SCHEDULES[schedule]
    if epochs < len(shape):
        return epochs, *(0 for _ in later)
    rest = [max(1, round(epochs * number / sum(shape))) for number in later]
    return epochs - sum(rest), *rest


def score(result: Mapping[str, Any]) -> float:
    """The lowest error of a trial, by which the best trial is chosen.

    It is the error on the held-out training examples, if any, otherwise on the test
    examples.
    """
    return result.get("validation_error", result["best_error"])


def chance_error(num_classes: int) -> float:
    """The error of guessing, as a share; also the score of a run without an epoch.

    >>> chance_error(10)
    0.9
    """
    return 1 - 1 / num_classes
