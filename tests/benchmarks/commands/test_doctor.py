import importlib.metadata
import json
import logging
import os
import struct
import warnings

import numpy as np
import pytest

from keras_asymbp.benchmarks import environment
from keras_asymbp.benchmarks.commands import doctor
from keras_asymbp.benchmarks.commands.finding import ABSENT, FINE, SLOW, WRONG
from keras_asymbp.benchmarks.results.store import Store


@pytest.fixture
def examine(tmp_path, monkeypatch):
    """The findings, by subject; of several on one subject, the last."""
    for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "1")

    def examine():
        findings = doctor.examine(str(tmp_path / "data"), str(tmp_path / "results"))
        for finding in findings:
            assert bool(finding.hint) == (finding.state != FINE)
        return {finding.subject: finding for finding in findings}

    return examine


def test_nothing_is_wrong_here_and_nothing_is_made(examine, tmp_path, contents):
    found = examine()
    assert not [finding for finding in found.values() if finding.state == WRONG]
    assert {"keras-asymbp", "python", "tensorflow", "keras", "cores", "memory"} <= set(
        found
    )
    assert {"oneDNN", "GPU", "data sets", "prepared data", "results folder"} <= set(
        found
    )
    assert "not made yet" in found["results folder"].found
    assert "mnist_5k" in found["data sets"].found
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "value", "subject", "state"),
    [
        ("TF_ENABLE_ONEDNN_OPTS", "0", "oneDNN", SLOW),
        ("TF_ENABLE_ONEDNN_OPTS", "1", "oneDNN", FINE),
        ("TF_NUM_INTRAOP_THREADS", "10000", "TF_NUM_INTRAOP_THREADS", SLOW),
        ("TF_NUM_INTRAOP_THREADS", "many", "TF_NUM_INTRAOP_THREADS", WRONG),
        ("TF_NUM_INTEROP_THREADS", "1", "TF_NUM_INTEROP_THREADS", FINE),
    ],
)
def test_variables(name, value, subject, state, examine, monkeypatch):
    monkeypatch.setenv(name, value)
    assert examine()[subject].state == state


def test_keras_that_computes_otherwise(examine):
    import keras

    before = keras.config.dtype_policy(), keras.config.image_data_format()
    try:
        keras.config.set_dtype_policy("mixed_float16")
        keras.config.set_image_data_format("channels_first")
        found = examine()
    finally:
        keras.config.set_dtype_policy(before[0])
        keras.config.set_image_data_format(before[1])
    assert found["Keras float policy"].state == WRONG
    assert found["Keras float policy"].found == "mixed_float16, not float32"
    assert found["Keras image format"].state == WRONG


def test_another_backend(examine, monkeypatch):
    import keras

    monkeypatch.setattr(keras.backend, "backend", lambda: "torch")
    assert examine()["Keras backend"].state == WRONG
    monkeypatch.setattr(doctor.glob, "glob", lambda pattern: ["gpu"])
    findings = [*doctor._keras()]
    assert [each.subject for each in findings if each.state == WRONG]


def test_a_gpu_that_tensorflow_does_not_see(examine, monkeypatch):
    import tensorflow as tf

    glob = "/proc/driver/nvidia/gpus/*"
    monkeypatch.setattr(
        doctor.glob, "glob", lambda pattern: ["gpu"] if pattern == glob else []
    )
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [])
    assert examine()["GPU"].state == SLOW


def test_packages(examine, monkeypatch):
    versions = {"rich": "1.0"}
    real = importlib.metadata.version

    def version(name):
        if name == "jinja2":
            raise importlib.metadata.PackageNotFoundError(name)
        return versions.get(name) or real(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    found = examine()
    assert found["rich"].state == WRONG
    assert found["rich"].found.startswith("1.0, not >=")
    assert "pip install --upgrade 'rich>=" in found["rich"].hint
    assert found["jinja2"].state == WRONG
    assert "keras-asymbp[benchmarks]" in found["jinja2"].hint
    assert "ray" not in found  # of another extra


def test_without_the_extra_the_layers_are_examined(examine, monkeypatch, capsys):
    """A user of the layers may have some of the extra's packages for other reasons."""
    real = importlib.metadata.version

    def version(name):
        if name in ("keras-tuner", "soundfile", "tensorflow-datasets", "jinja2"):
            raise importlib.metadata.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    found = examine()
    assert {"keras", "tensorflow", "absl-py", "memory", "GPU"} <= set(found)
    assert not {"rich", "jinja2", "data sets", "results folder"} & set(found)
    assert {f.state for f in found.values()} <= {FINE, SLOW, ABSENT}
    assert found["benchmarks"].state == ABSENT
    assert doctor._run(None, "results") == 0
    assert "absent: benchmarks: not installed; layers work" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_libraries_say_nothing(backend, benchmarks):
    environment = {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "1"}
    done = benchmarks(module="keras_asymbp.benchmarks.commands.doctor", **environment)
    assert done.stderr == ""
    assert "fine" in done.stdout


def test_words_of_libraries_are_dropped(caplog, recwarn):
    with doctor._quiet():
        logging.getLogger("jax").warning("no GPU")
        warnings.warn("deprecated", stacklevel=1)
    assert not caplog.records
    assert not recwarn
    logging.getLogger("jax").warning("heard")
    assert len(caplog.records) == 1


@pytest.mark.parametrize(
    ("free", "state", "found"),
    [
        (2**30, SLOW, "1.0 of 4.0 GiB free"),
        (3 * 2**30, FINE, "3.0 of 4.0 GiB free"),
        (None, FINE, "unknown on this system"),
    ],
)
def test_memory(free, state, found, examine, monkeypatch):
    monkeypatch.setattr(environment, "memory", lambda: (4 * 2**30, free))
    finding = examine()["memory"]
    assert (finding.state, finding.found) == (state, found)


def test_prepared_data_that_is_broken(cache, tmp_path):
    for name, rows in (("good", 3), ("cut", 3), ("uneven", 2)):
        folder = cache / name
        folder.mkdir(parents=True)
        for array in ("x_train", "y_train", "x_test", "y_test"):
            count = rows if array == "x_test" else 3
            inputs, labels = np.zeros((count, 4)), np.zeros(count, np.int64)
            np.save(folder / f"{array}.npy", inputs if array[0] == "x" else labels)
    with (cache / "cut" / "x_train.npy").open("r+b") as file:
        file.truncate(150)
    (cache / ".incomplete-x").mkdir()  # of a preparation in progress
    broken = [
        finding.found.removeprefix("can't read ").partition(" (")[0]
        for finding in doctor.examine(None, str(tmp_path / "results"))
        if finding.subject == "prepared data" and finding.state == WRONG
    ]
    assert broken == [
        str(cache / "cut" / "x_train.npy"),
        str(cache / "uneven"),
    ]


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda shard: None, None),
        (lambda shard: shard.unlink(), "No such file"),
        (lambda shard: os.truncate(shard, 5), "is damaged"),
        (lambda shard: (shard.parent / "dataset_info.json").write_text("{"), "dataset"),
    ],
)
def test_shards_of_prepared_data_sets(damage, words, examine, tmp_path):
    """The catalog's, and the user's own."""
    for name in ("mnist", "mine/config"):
        folder = tmp_path / "data" / name / "1.0.0"
        folder.mkdir(parents=True)
        record = struct.pack("<QI", 3, 0) + b"abc" + bytes(4)
        shard = folder / "mine-train.tfrecord-00000-of-00001"
        shard.write_bytes(2 * record)
        split = {"name": "train", "shardLengths": ["2"], "numBytes": "6"}
        info = {"name": "mine", "splits": [split]}
        (folder / "dataset_info.json").write_text(json.dumps(info))
    damage(shard)
    finding = examine().get("prepared data set")
    if words is None:
        assert finding is None
    else:
        assert finding.state == WRONG
        assert words in finding.found
        assert str(folder) in finding.found
        assert finding.hint == "delete its folder and prepare the data set again"


def test_results(examine, tmp_path, make_cell, finish):
    folder = tmp_path / "results"
    cell = make_cell()
    finish(Store(folder), cell, cell.trials()[0])
    assert examine()["results"].found == f"1 trial in {folder}"
    (path,) = (folder / "trials").iterdir()
    path.write_text(json.dumps(json.loads(path.read_text()) | {"schema": "x"}))
    finding = examine()["results"]
    assert finding.state == SLOW
    assert str(path) in finding.found


def test_a_results_folder_that_cannot_be_made(examine, tmp_path):
    (tmp_path / "results").write_text("mine")
    finding = examine()["results folder"]
    assert finding.state == WRONG
    assert "--results_dir" in finding.hint


def test_the_command(benchmarks, tmp_path):
    module = "keras_asymbp.benchmarks.commands.doctor"
    environment = {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_NUM_INTRAOP_THREADS": "1"}
    flag = f"--results_dir={tmp_path}/results"
    done = benchmarks(flag, module=module, **environment)
    assert done.returncode == 0, done.stdout
    assert done.stdout.splitlines()[-1] == "nothing is wrong"

    (tmp_path / "results").write_text("mine")
    done = benchmarks(flag, module=module, KERAS_BACKEND="no_such", **environment)
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    hints = [line for line in lines if line.startswith("wrong: ")]
    assert len(hints) == 3
    assert hints[0].startswith("wrong: Keras: ")
    assert "KERAS_BACKEND=tensorflow" in hints[0]
    assert hints[1].startswith("wrong: results folder: can't write to ")
    assert hints[2].startswith("wrong: 2 of ")
