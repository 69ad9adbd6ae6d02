import os
import pathlib
import sys

import pytest

from keras_asymbp.benchmarks import environment
from keras_asymbp.benchmarks.errors import UsageError


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch):
    for names in environment.THREADS.values():
        for name in names:
            monkeypatch.delenv(name, raising=False)


@pytest.fixture
def without_keras(monkeypatch):
    """As if Keras were not imported yet."""
    monkeypatch.delitem(sys.modules, "keras", raising=False)


def test_requested_threads_come_first(monkeypatch):
    first, second = environment.THREADS["tensorflow"]
    assert environment.threads(None, 3) == {first: "3", second: "3"}
    assert environment.threads(2, 3) == {first: "2", second: "2"}
    monkeypatch.setenv(first, "7")
    assert environment.threads(None, 3) == {first: "7", second: "3"}
    assert environment.threads(2, 3) == {first: "2", second: "2"}


@pytest.mark.parametrize("text", ["abc", "-1", "1.5", "2 3", "²", 5000 * "9", "1e3"])
def test_threads_that_are_no_number(text, monkeypatch):
    monkeypatch.setenv("TF_NUM_INTEROP_THREADS", text)
    with pytest.raises(UsageError, match="TF_NUM_INTEROP_THREADS must be a number"):
        environment.threads(None, 1)
    assert environment.threads(2, 1)["TF_NUM_INTEROP_THREADS"] == "2"
    monkeypatch.setenv("TF_NUM_INTEROP_THREADS", "0")  # TensorFlow's own choice
    assert environment.threads(None, 3)["TF_NUM_INTEROP_THREADS"] == "3"


def test_threads_of_jax(monkeypatch, without_keras):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    assert environment.threads(None, 3) == {"NPROC": "3"}
    monkeypatch.setenv("NPROC", "5")
    described = environment.describe(accelerator="Model X")
    machine = described["machine"]
    assert (machine["threads"], machine["backend"]) == (5, "jax")
    assert machine["accelerator"] == "Model X"
    assert "jax" in described["versions"]
    assert "tensorflow" not in described["versions"]


@pytest.mark.parametrize("deterministic", [False, True])
def test_the_environment_of_a_trial(deterministic, monkeypatch):
    described = environment.describe(deterministic=deterministic)
    assert described["versions"].keys() >= {"keras-asymbp", "tensorflow", "keras"}
    machine = described["machine"]
    assert machine["backend"] == "tensorflow"
    assert machine["processor"]
    assert machine["cores"] == os.cpu_count()
    assert machine["threads"] == environment.cores() <= os.cpu_count()
    assert machine["deterministic"] is deterministic
    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", "7")
    assert environment.describe(deterministic=deterministic)["machine"]["threads"] == 7


@pytest.fixture
def machine(monkeypatch):
    """Sets cores, bytes of memory and GPUs of this machine."""

    def machine(cores, memory, gpus=""):
        monkeypatch.setattr(environment, "cores", lambda: cores)
        monkeypatch.setattr(environment, "memory", lambda: (memory, None))
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", gpus)

    return machine


@pytest.mark.parametrize(
    ("cores", "gigabytes", "gpus", "cells", "expected"),
    [
        (2, 16, "", 9, 2),
        (8, 64, "", 9, 8),
        (8, 8, "", 9, 4),  # 2 GB for each
        (8, 1, "", 9, 1),
        (8, 64, "", 3, 3),  # no more jobs than cells
        (8, 64, "", 0, 1),
        (64, 512, "0", 9, 1),  # one per GPU
        (64, 512, "3,GPU-5", 9, 2),
        (64, 512, "3,GPU-5", 1, 1),
    ],
)
def test_the_number_of_jobs_fits_the_machine(
    cores, gigabytes, gpus, cells, expected, machine
):
    machine(cores, gigabytes * 2**30, gpus)
    assert environment.jobs(cells) == expected


def test_memory_is_this_machines(monkeypatch):
    total, free = environment.memory()
    assert 2**29 < free < total
    text = "MemTotal: 9 kB\nMemFree: 1 kB\nMemAvailable: 1000000 kB\nBuffers: 2 kB"
    monkeypatch.setattr(pathlib.Path, "read_text", lambda self, **_: text)
    assert environment.memory() == (total, 1_000_000 * 1024)


def test_memory_that_the_system_does_not_tell(monkeypatch):
    def missing(*arguments, **keywords):
        raise OSError

    monkeypatch.setattr(pathlib.Path, "read_text", missing)
    assert environment.memory()[1] is None
    monkeypatch.setattr(os, "sysconf", missing)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert environment.memory() == (sys.maxsize, None)
    assert environment.jobs(10_000) == environment.cores()


def test_only_visible_gpus_count(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,GPU-5")
    assert environment.gpus() == ["3", "GPU-5"]
    for none in ("", "-1", "-1,0", "NoDevFiles", "none", ",0"):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", none)
        assert environment.gpus() == []
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0, MIG-a,-1,2")
    assert environment.gpus() == ["0", "MIG-a"]
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    monkeypatch.setattr(environment.glob, "glob", lambda pattern: ["a", "b"])
    assert environment.gpus() == ["0", "1"]


@pytest.fixture
def configure(tmp_path, monkeypatch, without_keras):
    """Writes keras.json, and unsets the variable that comes before it."""
    monkeypatch.setenv("KERAS_BACKEND", "restored by monkeypatch")
    del os.environ["KERAS_BACKEND"]
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    return (tmp_path / "keras.json").write_text


@pytest.mark.parametrize(
    "text", [None, "{}", "broken", "[]", '{"backend": "tensorflow"}']
)
def test_tensorflow_is_the_default(text, configure):
    if text is not None:
        configure(text)
    environment.choose_backend(None)
    assert os.environ["KERAS_BACKEND"] == "tensorflow"


def test_the_flag_comes_before_the_variable_and_that_before_the_file(configure):
    configure('{"backend": "jax"}')
    assert environment.backend() == "jax"
    os.environ["KERAS_BACKEND"] = "tensorflow"
    assert environment.backend() == "tensorflow"
    environment.choose_backend("jax")
    assert environment.backend() == "jax"


def test_another_backend_is_refused(configure):
    configure('{"backend": "torch"}')
    with pytest.raises(UsageError, match="backend is torch: choose another with --ba"):
        environment.choose_backend(None)
    with pytest.raises(UsageError, match="unknown backend 'numpy': choose from tensor"):
        environment.choose_backend("numpy")


def test_a_backend_that_is_not_installed(configure, monkeypatch):
    monkeypatch.setattr(environment.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError) as caught:
        environment.choose_backend("jax")
    assert caught.value.name == "jax"


def test_keras_keeps_the_backend_that_it_has():
    import keras

    backend = keras.backend.backend()
    environment.choose_backend(None)
    environment.choose_backend(backend)
    (other,) = set(environment.BACKENDS) - {backend}
    with pytest.raises(UsageError, match=f"with the backend {backend}, not {other}"):
        environment.choose_backend(other)
