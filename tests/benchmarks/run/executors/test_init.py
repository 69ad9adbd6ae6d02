import sys

import pytest

from keras_asymbp.benchmarks.errors import UsageError
from keras_asymbp.benchmarks.run import executors
from keras_asymbp.benchmarks.run.executors import Execution
from keras_asymbp.benchmarks.run.executors.serial import Serial


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"executor": "slurm"}, ["executor 'slurm'", "local, ray"]),
        ({"results_by": "nobody"}, ["writer of results 'nobody'", "driver, workers"]),
        ({"jobs": 0}, ["--jobs", "1 or more", "0"]),
        ({"threads": 0}, ["--threads", "1 or more", "0"]),
        ({"lanes": 0}, ["--lanes", "1 or more", "0"]),
        ({"executor": "ray", "num_cpus": 0}, ["--num_cpus", "1 or more"]),
        ({"executor": "ray", "num_gpus": -1}, ["--num_gpus", "0 or more"]),
        ({"executor": "ray", "num_gpus": float("nan")}, ["--num_gpus", "nan"]),
        ({"retries": -1}, ["--retries", "0 or more"]),
        ({"executor": "ray", "jobs": 2}, ["--jobs is not for --executor ray"]),
        ({"address": "auto"}, ["--address", "local"]),
        ({"num_gpus": 1}, ["--num_gpus", "local"]),
    ],
)
def test_invalid_values_are_refused(settings, words):
    with pytest.raises(UsageError) as caught:
        Execution(**settings)
    for word in words:
        assert word in str(caught.value)


def test_one_job_runs_in_this_process():
    assert isinstance(executors.make(Execution(), dict), Serial)
    assert Execution().in_process
    assert not Execution(jobs=2).in_process
    assert not Execution(executor="ray").in_process


@pytest.mark.parametrize(
    ("settings", "user", "expected"),
    [
        ({"jobs": 2}, None, "2"),
        ({"jobs": 3}, None, "1"),
        ({"jobs": 9}, None, "1"),
        ({"jobs": 2, "threads": 7}, None, "7"),
        ({"jobs": 2, "threads": 7}, "5", "7"),
        ({"jobs": 2}, "", "2"),
        ({"jobs": 2}, "5", "5"),
    ],
)
def test_jobs_share_the_cores(settings, user, expected, monkeypatch):
    given = []
    local = "keras_asymbp.benchmarks.run.executors.local"
    monkeypatch.setattr(executors.environment, "cores", lambda: 5)
    names = executors.environment.THREADS["tensorflow"]
    for name in names:
        monkeypatch.delenv(name, raising=False)
        if user is not None:
            monkeypatch.setenv(name, user)
    __import__(local)
    monkeypatch.setattr(
        sys.modules[local], "Local", lambda *arguments: given.append(arguments)
    )
    executors.make(Execution(**settings), None)
    ((_, jobs, variables, _),) = given
    assert jobs == settings["jobs"]
    assert variables == dict.fromkeys(names, expected)
