"""The switches that layers and rules read; off outside of their `with` blocks."""

import contextlib
import contextvars

from keras_asymbp._functions import SwitchInFunction


class Switch:
    """On within `with switch():` in this thread, off elsewhere.

    A `tf.function` keeps the value that it was traced with.

    >>> quiet = Switch("quiet")
    >>> with quiet():
    ...     print(bool(quiet))
    True
    >>> bool(quiet)
    False
    """

    def __init__(self, name):
        self._is_on = contextvars.ContextVar(name, default=False)

    def __bool__(self):
        return self._is_on.get()

    @contextlib.contextmanager
    def __call__(self):
        token = self._is_on.set(True)
        try:
            yield
        finally:
            self._is_on.reset(token)


backpropagation = Switch("backpropagation")
"""Within it V is W in every layer, and no error is sent directly.

Use it as `with backpropagation():`. The gradients are backpropagation's. A
`tf.function` keeps the value that it was traced with.
"""

redrawn = SwitchInFunction("redrawn")
"""Within it `redraw` is called after each update: V is never behind W."""

mirroring = Switch("mirroring")
"""Within it each call of a layer is a step of its rules' mirror phase."""

hidden = Switch("hidden")
"""Within it no rule has variables, for `model.export`."""
