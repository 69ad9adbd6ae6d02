"""Flags that change the training of a preset."""

import dataclasses
from typing import TYPE_CHECKING, Any

from absl import flags

from keras_asymbp.benchmarks.commands.flags.groups import ESSENTIALS, TRAINING, Group
from keras_asymbp.benchmarks.commands.flags.values import (
    at_least_one,
    learning_rates,
)
from keras_asymbp.benchmarks.errors import UsageError, unknown
from keras_asymbp.benchmarks.tables import experiments, readings
from keras_asymbp.benchmarks.tables.protocol import (
    AUGMENTATIONS,
    PRESETS,
    Protocol,
)

if TYPE_CHECKING:
    from keras_asymbp.benchmarks.tables.experiments import Column


class ProtocolFlags:
    """The flags of a protocol.

    Args:
        values: Where the flags are defined.
        alignment_batches: The default of `--alignment_batches`.
        reading: Whether there is `--reading`.
    """

    def __init__(
        self, values: flags.FlagValues, alignment_batches: int | None, reading: bool
    ):
        self.preset = Group(ESSENTIALS, values).name(
            "preset",
            "quick",
            f"Length of training, one of {', '.join(PRESETS)}: a check that it runs; "
            "the paper's schedule of 65 epochs, shortened to 6; the paper's; that of "
            "BioTorch's networks for CIFAR-10, 250 epochs.",
            known=tuple(PRESETS),
        )
        group = Group(TRAINING, values)
        self._epochs = group.integer(
            "epochs", None, "Number of epochs, instead of the preset's."
        )
        self._learning_rates = group.list(
            "learning_rates",
            None,
            "Learning rates to search, separated by commas, instead of the preset's.",
            metavar="RATE",
        )
        self._train_examples = group.integer(
            "train_examples",
            None,
            "Number of training examples, balanced across classes.",
        )
        self._test_examples = group.integer(
            "test_examples", None, "Number of test examples, balanced across classes."
        )
        self._validation_share = group.number(
            "validation_share",
            None,
            "Share of the training examples, such as 0.1, held out to choose the rate "
            "and the epoch; with 0 they are chosen on the test examples, as in the "
            "paper. By default the experiment's own.",
        )
        self._augmentation = group.name(
            "augmentation",
            None,
            f"Augmentation of the training images, one of {', '.join(AUGMENTATIONS)}: "
            "random shifts of up to 4 pixels, and random mirroring of colour images. "
            "By default none.",
            known=tuple(AUGMENTATIONS),
        )
        self._reading = None
        if reading:
            self._reading = group.name(
                "reading",
                None,
                "How what the paper leaves open is read: inputs, first weights, loss, "
                "decay of biases, as in pixels-normal-sum-decay; by default the "
                "network's, shown by keras-asymbp run --list.",
                known=tuple(readings.READINGS),
            )
        self._alignment_batches = group.integer(
            "alignment_batches",
            alignment_batches,
            "Number of training batches on which each trial's errors and gradients are "
            "compared with backpropagation's, layer by layer, after the last epoch.",
        )

    @property
    def learning_rates(self) -> list[str] | None:
        """The values of `--learning_rates`, as typed; None if it is not given."""
        return self._learning_rates.value

    @property
    def reading(self) -> str | None:
        """The value of `--reading`; None if it is not given."""
        return None if self._reading is None else self._reading.value

    @property
    def validation_share_given(self) -> bool:
        return self._validation_share.value is not None

    def columns(self, columns: "tuple[Column, ...]") -> "tuple[Column, ...]":
        """The columns, without rates of their own if `--learning_rates` is given."""
        if self.learning_rates is None:
            return columns
        return experiments.without_rates(columns)

    def protocol(self) -> Protocol:
        """The preset's protocol, changed by the flags that are given."""
        if self.preset.value not in PRESETS:
            raise unknown("preset", self.preset.value, PRESETS)
        changes: dict[str, Any] = {}
        if (rates := self.learning_rates) is not None:
            changes["learning_rates"] = learning_rates(rates)
        for flag in (
            self._epochs,
            self._train_examples,
            self._test_examples,
            self._alignment_batches,
        ):
            if flag.value is not None:
                changes[flag.name] = at_least_one(flag)
        if (share := self._validation_share.value) is not None:
            if not 0 <= share < 1:
                raise UsageError(
                    f"--validation_share must be 0 or more and less than 1, not {share}"
                )
            changes["validation_share"] = share
        if (augmentation := self._augmentation.value) is not None:
            if augmentation not in AUGMENTATIONS:
                raise unknown("augmentation", augmentation, AUGMENTATIONS)
            changes["augmentation"] = augmentation
        protocol = dataclasses.replace(PRESETS[self.preset.value], **changes)
        if self.reading is not None:
            return readings.get(self.reading).applied(protocol)
        return protocol
