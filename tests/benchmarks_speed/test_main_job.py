import pytest

from benchmarks.speed import main_job
from benchmarks.speed.measure import Options

# What a run surely does; evaluation and storing take little of a short one.
PARTS = (
    *("Python's start", "Python's end", "imports", "data", "tracing"),
    *("building and compiling models", "training steps, with what fit does"),
    *("evaluation", "statistics of the normalization", "storing"),
    *("tables and report", "keras-tuner's search", "throwing graphs away"),
    *("back to the start between rates", "command line, runner, leases, progress"),
)


@pytest.mark.slow
def test_the_parts_add_up_to_the_whole():
    *parts, whole = main_job.rows(Options(preset="smoke"))
    assert whole["name"] == "the whole"
    seconds = {row["name"]: row["figure"] for row in parts}
    assert sorted(seconds) == sorted(PARTS)
    assert min(seconds.values()) > 0
    assert sum(seconds.values()) == pytest.approx(whole["figure"], abs=0.1)
