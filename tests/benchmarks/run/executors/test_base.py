import pytest

from keras_asymbp.benchmarks.errors import StoreError, UsageError
from keras_asymbp.benchmarks.run.executors import base


class TaskObserver:
    def __init__(self):
        self.ends = []

    def ended(self, task, reason=None):
        self.ends.append((task, reason))


class ResourceExhaustedError(Exception):
    """Has the name of TensorFlow's error."""


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ValueError("bad\nvery bad"), "ValueError: bad"),
        (ValueError(), "ValueError"),
        (ValueError(" \n x" + 300 * "y"), "ValueError: x" + 199 * "y"),
        (MemoryError(), "out of memory: MemoryError"),
        (
            ResourceExhaustedError("OOM when allocating"),
            "out of memory: ResourceExhaustedError: OOM when allocating",
        ),
        (
            ResourceExhaustedError("{{node a}}\n/x; No space left on device [Op:F]"),
            "ResourceExhaustedError: {{node a}}",
        ),
        (StoreError("full"), "StoreError: full"),
    ],
)
def test_a_failure_is_one_line(error, reason):
    observer = TaskObserver()
    base.Ending.of(error).settle(observer, "task")
    assert observer.ends == [("task", reason)]


def test_success_has_no_reason():
    observer = TaskObserver()
    base.Ending().settle(observer, "task")
    assert observer.ends == [("task", None)]


@pytest.mark.parametrize(
    "error",
    [UsageError("no such data"), ModuleNotFoundError("No module named 'a'", name="a")],
)
def test_errors_that_retries_cannot_mend_are_raised(error):
    observer = TaskObserver()
    with pytest.raises(type(error)) as caught:
        base.Ending.of(error).settle(observer, "task")
    assert str(caught.value) == str(error)
    assert getattr(caught.value, "name", None) == getattr(error, "name", None)
    assert observer.ends == []
