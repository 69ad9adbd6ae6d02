"""No search for garbage while thousands of trials come and stay."""

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def unsearched() -> Iterator[None]:
    """Python's search for cycles is off; what exists at the end is never searched.

    Each search goes through all trials in memory: a fifth of the time of a report.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_on:
            gc.enable()
