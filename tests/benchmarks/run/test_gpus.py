"""Processes on a machine with several GPUs, which are names; training is a stand-in.

The tests see which GPU each process is assigned, and how many trials share one.
"""

import json
import os
import pathlib
import sys

import pytest

SECONDS = 0.3
FLAGS = ("--models=SGD,RndF", "--seeds=0,1,2")


@pytest.fixture
def used(tmp_path):
    """Start, earliest end and GPUs of each trial."""

    def used():
        trials = []
        for path in (tmp_path / "notes").glob("*.json"):
            begin = int(path.name.partition("-")[0]) / 1e9
            gpus = json.loads(path.read_text())["gpus"]
            trials.append((begin, begin + SECONDS, gpus))
        return sorted(trials)

    return used


def at_once(trials):
    """Maximum number of trials that run at the same time."""
    return max(
        sum(begin <= start < end for begin, end, _ in trials) for start, *_ in trials
    )


def test_each_job_has_a_gpu_of_its_own(stand_in, used):
    done = stand_in(*FLAGS, "--jobs=2", seconds=SECONDS, CUDA_VISIBLE_DEVICES="3,GPU-5")
    assert done.returncode == 0, done.stderr
    assert {gpus for *_, gpus in used()} == {"3", "GPU-5"}
    for gpu in ("3", "GPU-5"):
        assert at_once([trial for trial in used() if trial[2] == gpu]) == 1


def test_by_default_there_is_a_job_for_each_gpu(stand_in, used, notes):
    done = stand_in(*FLAGS, jobs=None, seconds=SECONDS, CUDA_VISIBLE_DEVICES="3,GPU-5")
    assert done.returncode == 0, done.stderr
    assert len({note["process"] for note in notes()}) == 2
    assert at_once(used()) == 2


@pytest.mark.slow
@pytest.mark.parametrize(("share", "most"), [("1", 1), ("0.5", 2)])
def test_each_task_of_ray_has_its_share(
    share, most, stand_in, used, tmp_path, monkeypatch
):
    """On a cluster with two declared GPUs, and CPUs for more tasks."""
    pytest.importorskip("ray")
    folder = pathlib.Path(__file__).parents[1]
    settings = {"notes": str(tmp_path / "notes"), "faults": [], "seconds": SECONDS}
    for name, value in {
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
        "PYTHONPATH": os.pathsep.join([str(folder), *sys.path]),
        "STAND_IN": json.dumps(settings),
    }.items():
        monkeypatch.setenv(name, value)
    from ray.cluster_utils import Cluster

    cluster = Cluster(
        initialize_head=True,
        head_node_args={
            "num_cpus": 6,
            "num_gpus": 2,
            "node_ip_address": "127.0.0.1",
            "include_dashboard": False,
        },
    )
    try:
        flags = ("--executor=ray", f"--address={cluster.address}")
        done = stand_in(*FLAGS, *flags, f"--num_gpus={share}", timeout=180)
    finally:
        cluster.shutdown()
    assert done.returncode == 0, done.stderr
    assert "12 trials run" in done.stdout
    assert {gpus for *_, gpus in used()} == {"0", "1"}
    for gpu in ("0", "1"):
        assert at_once([trial for trial in used() if trial[2] == gpu]) <= most
