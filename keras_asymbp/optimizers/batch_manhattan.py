from typing import Any

import keras
from keras import ops

from keras_asymbp._arguments import OPTIMIZER, describe
from keras_asymbp._numbers import check_number, is_count


@keras.saving.register_keras_serializable("keras_asymbp")
class BatchManhattan(keras.optimizers.Optimizer):
    """The Batch Manhattan update rule, and mini-batch SGD as its setting 0.

    With g the gradient of a weight w, m the momentum and d the weight decay,

        w(t+1) = w(t) + learning_rate * tau(t)                        (eq. 3)

        setting 0 (SGD): tau = -g + m tau' - d w
        setting 1:       tau = -sign(g) + m tau' - d w
        setting 2:       tau = sign(-sign(g) + m tau' - d w)
        setting 3:       tau = sign(kappa), kappa = -sign(g) + m kappa' - d w

    where a prime marks the value at the previous update and `sign(0) = 0`: a weight
    without a gradient does not drift.

    Unlike in `keras.optimizers.SGD`, the learning rate multiplies tau and not the
    momentum buffer, so that a new rate acts at once; and the weight decay is part of
    tau, not a separate step. As in the paper, g should be the sum over the mini-batch
    (a loss with `reduction="sum"`). With the mean, settings 1 to 3 do the same and
    setting 0 needs a larger rate.

    Args:
        learning_rate (float | LearningRateSchedule | Callable): The rate, 0 or more, a
            schedule of `keras.optimizers.schedules`, or a function without arguments.
        momentum (float): m, in [0, 1].
        weight_decay (float | None): d, 0 or more. None: 0.
        setting (int): The tau from above: 0, 1, 2 or 3.

    Raises:
        ValueError: If an argument is out of range.

    Alias: `"batch_manhattan"`, in `model.compile`.

    >>> import keras
    >>> import keras_asymbp
    >>> w = keras.Variable([1.0, 1.0])
    >>> optimizer = keras_asymbp.BatchManhattan(0.25)
    >>> optimizer.apply([keras.ops.array([30.0, 0.0])], [w])
    >>> w.numpy().tolist()
    [0.75, 1.0]

    Source: equation 3, section 3, Liao et al. 2016.
    """

    def __init__(
        self,
        learning_rate: Any = 5e-4,
        momentum: float = 0.9,
        weight_decay: float | None = 0.0,
        setting: int = 1,
        name: str = "batch_manhattan",
        **kwargs: Any,
    ) -> None:
        if not callable(learning_rate):  # a schedule is
            check_number("learning_rate", learning_rate)
            learning_rate = float(learning_rate)
        check_number("momentum", momentum, most=1)
        if weight_decay is not None:
            check_number("weight_decay", weight_decay)
            weight_decay = float(weight_decay)
        if not is_count(setting, 0) or setting > 3:
            raise ValueError(
                "Argument `setting` must be 0 (SGD), 1, 2 or 3. "
                f"Received: setting={setting!r}"
            )
        super().__init__(
            learning_rate=learning_rate, weight_decay=weight_decay, name=name, **kwargs
        )
        self.momentum = float(momentum)
        self.setting = int(setting)

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        # tau of settings 0 to 2, kappa of setting 3
        self._momentums = self.add_optimizer_variables(variables, "momentum")

    def update_step(self, gradient, variable, learning_rate):
        def constant(value):
            return ops.cast(value, variable.dtype)

        buffer = self._momentums[self._get_variable_index(variable)]
        # An embedding's sparse gradient becomes dense: its parts must be summed before
        # the sign is taken, and momentum and decay act on every weight.
        gradient = ops.cast(
            ops.add(gradient, ops.zeros_like(ops.convert_to_tensor(buffer))),
            variable.dtype,
        )

        descent = -gradient if self.setting == 0 else -ops.sign(gradient)
        tau = descent + constant(self.momentum) * buffer
        if self.weight_decay and self._use_weight_decay(variable):
            tau -= constant(self.weight_decay) * variable
        if self.setting == 2:
            tau = ops.sign(tau)
        self.assign(buffer, tau)
        if self.setting == 3:
            tau = ops.sign(tau)
        self.assign_add(variable, constant(learning_rate) * tau)

    def _apply_weight_decay(self, variables):
        """Does nothing: tau includes the decay, so Keras must not apply its own."""

    def get_config(self):
        config = super().get_config()
        config.update(momentum=self.momentum, setting=self.setting)
        return config


describe(BatchManhattan, OPTIMIZER)
# For `compile("batch_manhattan")`: Keras's name is "keras_asymbp>BatchManhattan".
keras.saving.get_custom_objects()["batch_manhattan"] = BatchManhattan
