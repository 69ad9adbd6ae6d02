"""Runs on real Ray clusters of this machine; training is a stand-in."""

import json
import os
import pathlib
import signal
import socket
import subprocess
import sys

import psutil
import pytest

FLAGS = ("--models=SGD,RndF", "--seeds=0,1", "--executor=ray")


def test_a_missing_ray_is_one_line(tmp_path):
    done = subprocess.run(
        [
            *(sys.executable, "-c"),
            "import sys; sys.modules['ray'] = None\n"
            "sys.argv = ['keras-asymbp', '--exp=C2', '--executor=ray',\n"
            f"    '--models=SGD', '--results_dir={tmp_path}/results']\n"
            "from keras_asymbp.benchmarks.commands.run import main; main()",
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "error: ray is not installed: pip install 'keras-asymbp[ray]' brings it"
    ]


@pytest.fixture
def _ray(monkeypatch):
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
    pytest.importorskip("ray")


@pytest.fixture
def ray_stand_in(_ray, stand_in, monkeypatch):
    # For a local cluster, the command sets them.
    monkeypatch.delenv("RAY_USAGE_STATS_ENABLED")
    monkeypatch.delenv("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER")
    return stand_in


def stored(folder):
    trials = [json.loads(p.read_text()) for p in (folder / "trials").glob("*.json")]
    errors = {
        (t["model"], t["settings"]["seed"], t["settings"]["learning_rate"]): t
        for t in trials
    }
    assert len(errors) == len(trials)
    for (_, seed, rate), trial in errors.items():
        assert trial["result"]["best_error"] == (seed + 1) * rate
    return errors


@pytest.mark.slow
def test_a_local_cluster(ray_stand_in, tmp_path, notes):
    done = ray_stand_in(*FLAGS, "--threads=3")
    assert done.returncode == 0, done.stderr
    trials = stored(tmp_path / "results")
    assert len(trials) == 8
    assert "8 trials run, 0 found stored" in done.stdout
    assert {trial["machine"]["threads"] for trial in trials.values()} == {3}
    # A process runs several cells.
    assert len({note["process"] for note in notes()}) <= os.cpu_count()


@pytest.mark.slow
@pytest.mark.usefixtures("_ray")
def test_a_local_cluster_is_reached_by_this_machine_alone(
    start_stand_in, wait_for, notes, monkeypatch
):
    monkeypatch.delenv("RAY_USAGE_STATS_ENABLED")
    monkeypatch.delenv("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER")
    process = start_stand_in(*FLAGS, faults=[{"kind": "hold"}])
    wait_for(lambda: len(notes()) >= 2, 120)
    below = psutil.Process(process.pid).children(recursive=True)
    addresses = listening(below)
    statistics = {each.environ().get("RAY_USAGE_STATS_ENABLED") for each in below}
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == 130, stderr
    assert addresses
    assert addresses <= {"127.0.0.1", "::ffff:127.0.0.1"}
    assert statistics - {None} == {"0"}
    assert not psutil.wait_procs(below, timeout=20)[1]  # no orphans


@pytest.mark.slow
def test_faults_in_workers(ray_stand_in, tmp_path, notes):
    killed = {"seed": 1, "rate": 5e-4, "kind": "kill", "times": 1}
    memory = {"seed": 0, "rate": 5e-4, "kind": "memory"}
    done = ray_stand_in(*FLAGS, "--retries=1", faults=[killed, memory])
    assert done.returncode == 1, done.stderr
    assert "WorkerCrashedError" in done.stdout
    assert len(stored(tmp_path / "results")) == 6
    assert done.stdout.count("failed: out of memory: MemoryError |") == 2
    # Trials finished before the death of the worker are not repeated.
    counts = [(note["model"], note["seed"], note["rate"]) for note in notes()]
    assert counts.count(("SGD", 1, 5e-3)) == 1
    again = ray_stand_in(*FLAGS)
    assert again.returncode == 0
    assert "2 trials run, 6 found stored" in again.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--address=127.0.0.1:1"], ["no Ray cluster at '127.0.0.1:1'", "--address"]),
        (["--num_gpus=64"], ["64 GPUs", "--num_gpus"]),
    ],
)
def test_an_unusable_cluster_is_one_line(flags, words, ray_stand_in, tmp_path):
    done = ray_stand_in(*FLAGS, *flags)
    assert done.returncode == 2
    line = done.stderr.splitlines()[-1]
    assert line.startswith("error: ")
    for word in words:
        assert word in line
    assert "Traceback" not in done.stderr


@pytest.fixture
def cluster(_ray, tmp_path, monkeypatch):
    """A cluster of two nodes with a CPU each."""
    # The workers inherit the environment from here.
    folder = pathlib.Path(__file__).parents[2]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder), *sys.path]))
    settings = {"notes": str(tmp_path / "notes"), "faults": [], "seconds": 1.0}
    monkeypatch.setenv("STAND_IN", json.dumps(settings))
    from ray.cluster_utils import Cluster

    node = {"num_cpus": 1, "node_ip_address": "127.0.0.1", "include_dashboard": False}
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    cluster = Cluster(
        initialize_head=True, head_node_args=node | {"ray_client_server_port": port}
    )
    cluster.client = f"ray://127.0.0.1:{port}"
    del node["include_dashboard"]
    # The driver takes the node with its own address.
    cluster.second = cluster.add_node(**node | {"node_ip_address": "127.0.0.2"})
    yield cluster
    cluster.shutdown()


@pytest.mark.slow
@pytest.mark.parametrize("by", ["driver", "workers"])
def test_a_node_removed_in_a_run(
    by, cluster, start_stand_in, wait_for, notes, tmp_path
):
    process = start_stand_in(
        *(*FLAGS, f"--address={cluster.address}", f"--results_by={by}"),
        # Enough trials for both nodes to be in the middle of a cell at the removal.
        "--learning_rates=5e-2,5e-3,5e-4,5e-5",
    )
    try:
        wait_for(lambda: len({note["process"] for note in notes()}) == 2, 120)
        wait_for(lambda: len(stored(tmp_path / "results")) >= 2)
        before = stored(tmp_path / "results")
        cluster.remove_node(cluster.second, allow_graceful=False)
        stdout, stderr = process.communicate(timeout=180)
    finally:
        process.kill()
    assert process.returncode == 0, stderr
    assert "failed, trying again" in stdout
    after = stored(tmp_path / "results")
    assert before.items() <= after.items()
    assert len(after) == 16


@pytest.mark.slow
def test_rays_client(cluster, stand_in, tmp_path):
    pytest.importorskip("grpc")
    done = stand_in(*FLAGS, f"--address={cluster.client}", timeout=180)
    assert done.returncode == 0, done.stderr
    assert len(stored(tmp_path / "results")) == 8


def listening(processes):
    """The addresses on which processes listen."""
    return {
        connection.laddr.ip
        for process in processes
        for connection in process.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN
    }


def test_a_cluster_without_the_resources_may_grow(capsys):
    from keras_asymbp.benchmarks.run.executors import ray

    ray.check({"CPU": 1, "GPU": 0.5}, {"CPU": 2.0}, can_grow=True)
    words = "warning: a task needs 0.5 GPUs and the cluster has 0: waiting for more\n"
    assert capsys.readouterr().err == words
