"""The batches on which models are measured."""

from collections.abc import Iterable


def checked(batches, least: int = 2) -> list:
    """Returns batches as a list.

    Args:
        batches: An iterable of `(x, y)` or `(x, y, sample_weight)`.
        least: The smallest number of elements of a batch: 1 if y isn't needed.

    Raises:
        ValueError: If it is empty, or an element isn't a batch.
    """
    listed = list(batches) if isinstance(batches, Iterable) else [batches]
    if not listed:
        raise ValueError("Argument `batches` must have a batch. Received none.")
    for batch in listed:
        size = len(batch) if isinstance(batch, tuple | list) else None
        if size is None or not least <= size <= 3:
            received = type(batch).__name__ + ("" if size is None else f" of {size}")
            raise ValueError(
                "Argument `batches` must be an iterable of batches, such as "
                "`[(x, y)]`. Expected: tuples `(x, y)` or `(x, y, sample_weight)`. "
                f"Received: {received}"
            )
    return listed
