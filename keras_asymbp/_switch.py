"""Switches that layers and rules look at, off unless somebody is within them."""

import contextlib
import contextvars


class Switch:
    """Off, and on within `with switch():`, in this thread.

    What is traced within it stays so; a `tf.function` that was traced before isn't
    changed.

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
