"""Fixtures of the benchmark suite's tests: data and a network that train quickly."""

import contextlib
import dataclasses
import io
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

from keras_asymbp.benchmarks import datasets
from keras_asymbp.benchmarks.networks import (
    FC,
    NETWORKS,
    Network,
)
from keras_asymbp.benchmarks.tables import readings
from keras_asymbp.benchmarks.tables.cells import Cell
from keras_asymbp.benchmarks.tables.experiments import (
    Column,
    Experiment,
)
from keras_asymbp.benchmarks.tables.plan import Plan, Setup
from keras_asymbp.benchmarks.tables.protocol import PRESETS

SGD = Column("SGD")


@dataclasses.dataclass(frozen=True, eq=False)
class InMemory:
    """A data source that counts its reads."""

    arrays: datasets.Arrays
    loads: list = dataclasses.field(default_factory=list)
    in_memory: bool = True

    def version(self, data_dir):
        return "1"

    def labels(self, data_dir):
        self.loads.append(data_dir)
        return self.arrays.y_train, self.arrays.y_test

    def inputs(self, split, data_dir):
        yield getattr(self.arrays, f"x_{split}")


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    """The folder of prepared inputs, separate for each test."""
    monkeypatch.setenv("KERAS_ASYMBP_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(scope="session")
def tiny_arrays():
    """200 + 100 of the embedded images, balanced across classes."""
    arrays = datasets.get("mnist_5k").load()
    return datasets.Arrays(
        arrays.x_train[::20],
        arrays.y_train[::20],
        arrays.x_test[::10],
        arrays.y_test[::10],
    )


@pytest.fixture(scope="session")
def tiny_examples(tiny_arrays):
    from keras_asymbp.benchmarks.training import batches

    return batches.prepare(tiny_arrays, 1 / 255)


@pytest.fixture(scope="session")
def make_split():
    """A split of examples from its inputs and labels."""
    from keras_asymbp.benchmarks.training import batches

    def make(inputs, labels):
        everything = np.arange(len(labels))
        scale, mean = np.float32(1), np.float32(0)
        return batches.Split(
            np.asarray(inputs), np.asarray(labels), scale, mean, everything
        )

    return make


@pytest.fixture
def tiny(monkeypatch, tiny_arrays):
    """A data set and its network, each registered as one row of data."""
    monkeypatch.setitem(NETWORKS, "tiny", Network((28, 28, 1), (FC(16),)))
    dataset = datasets.Dataset(
        name="tiny",
        description="200 + 100 images",
        paper="MNIST",
        num_classes=10,
        network="tiny",
        source=InMemory(tiny_arrays),
        as_in_paper=False,
    )
    monkeypatch.setitem(datasets.DATASETS, "tiny", dataset)
    return dataset


@pytest.fixture
def make_cell():
    """Makes a cell; further keywords are settings of the protocol."""

    def make(column=SGD, dataset=None, seed=0, version="1", **protocol):
        return Cell(
            dataset or datasets.get("mnist_5k"),
            version,
            column,
            dataclasses.replace(PRESETS["quick"], **protocol),
            seed,
        )

    return make


@pytest.fixture(scope="session")
def idle_trainers():
    """Trainers of earlier tests."""
    return []


@pytest.fixture
def make_trainer(make_cell, tiny, tiny_examples, idle_trainers):
    """Makes a trainer of the tiny network on 200 + 100 examples, and its cell.

    The trainer of an earlier test takes up the cell if it can: this saves tracing.
    """
    from keras_asymbp.benchmarks.training import batches
    from keras_asymbp.benchmarks.training.trainer import Trainer

    def make(column=SGD, **settings):
        cell = make_cell(column, tiny, **{"epochs": 2} | settings)
        examples = batches.hold_out(tiny_examples, cell.protocol.validation_share)
        for trainer in idle_trainers:
            if trainer.take_up(cell, examples):
                idle_trainers.remove(trainer)
                break
        else:
            trainer = Trainer(cell, examples)
        in_use.append(trainer)
        return trainer, cell

    in_use = []
    yield make
    idle_trainers.extend(in_use)


@pytest.fixture(scope="session")
def assert_alike():
    """Asserts that weights are equal but for rounding errors.

    Integers are left out: a fingerprint of W is another one for another last bit.
    """

    def assert_alike(weights, expected):
        for ours, theirs in zip(weights, expected, strict=True):
            assert ours.dtype == theirs.dtype
            if ours.dtype.kind == "f":
                np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-4)

    return assert_alike


@pytest.fixture
def count_jax_traces():
    """Returns a list that grows whenever a step of a model is traced."""

    def count(model):
        traces, call = [], model.stateless_call

        def counted(*arguments, **keywords):
            traces.append(None)
            return call(*arguments, **keywords)

        model.stateless_call = counted
        return traces

    return count


@pytest.fixture(scope="session")
def make_plan():
    """Makes a plan of an artificial experiment; further keywords are settings."""

    def make(columns=(SGD,), dataset=None, seeds=(0,), baseline="SGD", **protocol):
        dataset = dataset or datasets.get("mnist_5k")
        preset = readings.default(dataset.network).applied(PRESETS["quick"])
        protocol = dataclasses.replace(preset, **protocol)
        return Plan(
            Experiment("X", "Made up", "Table 0", tuple(columns), baseline, "paper"),
            tuple(columns),
            Setup(dataset, "1", protocol, "quick", seeds),
        )

    return make


@pytest.fixture(scope="session")
def make_record():
    """Makes the record of a trial as if it had been run."""

    def make(cell, trial, best_error=0.25, validation_error=None, **changes):
        held_out = {}
        if validation_error is not None:
            held_out = {"validation_error": validation_error}
        rows = [
            {
                "epoch": epoch,
                "learning_rate": trial.learning_rate,
                "train_loss": 0.5,
                "train_error": 0.25,
                "test_loss": 0.5,
                "test_error": best_error,
                **held_out,
            }
            for epoch in range(1, cell.protocol.epochs + 1)
        ]
        return {
            "settings": cell.settings(trial),
            "overridden": cell.overridden,
            "model": cell.column.name,
            "result": {
                "best_error": best_error,
                "best_epoch": len(rows[:2]),
                "diverged": False,
                "curves": rows,
                **held_out,
            },
            "started": "2026-01-02T03:04:05+00:00",
            "seconds": 1.25,
            "command": "python -m keras_asymbp.benchmarks --exp X",
            "versions": {"keras-asymbp": "0", "numpy": "1"},
            "machine": {
                "system": "S",
                "processor": "P",
                "cores": 2,
                "onednn": "1",
                "threads": 2,
                "deterministic": False,
            },
        } | changes

    return make


@pytest.fixture(scope="session")
def finish(make_record):
    """Stores a trial of a cell as if it had been run."""

    def finish(store, cell, trial, *errors, **changes):
        return store.put(
            f"{cell.dataset.name}-{cell.column.name}-{trial.learning_rate:g}",
            make_record(cell, trial, *errors, **changes),
        )

    return finish


@contextlib.contextmanager
def _interruptible():
    """Lets child processes handle SIGINT, which background jobs of a shell ignore."""
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)


def _start(program, flags, environment):
    if "PYTHONPROFILEIMPORTTIME" in environment:
        # What Python itself writes to file descriptor 2 is kept.
        environment["TF_CPP_MIN_LOG_LEVEL"] = "0"
    with _interruptible():
        return subprocess.Popen(
            [sys.executable, *program, *map(str, flags)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(sys.path),
                "COLUMNS": "80",
                **environment,
            },
        )


def _until_it_ends(start):
    def run(*flags, timeout=600, **environment):
        process = start(*flags, **environment)
        try:
            stdout, stderr = process.communicate(timeout=timeout)
        finally:
            process.kill()
        return subprocess.CompletedProcess(
            process.args, process.returncode, stdout, stderr
        )

    return run


@pytest.fixture(scope="session")
def start_benchmarks():
    """Starts `python -m keras_asymbp.benchmarks` with flags, in a new process.

    That process also trains, unless a flag sets the number of jobs.
    """

    def start(*flags, module="keras_asymbp.benchmarks", **environment):
        jobs_given = any(str(flag).startswith("--jobs") for flag in flags)
        if module == "keras_asymbp.benchmarks" and not jobs_given:
            flags = ["--jobs=1", *flags]
        return _start(["-m", module], flags, environment)

    return start


@pytest.fixture(scope="session")
def benchmarks(start_benchmarks):
    """Runs `python -m keras_asymbp.benchmarks` with flags until it ends."""
    return _until_it_ends(start_benchmarks)


@pytest.fixture
def start_stand_in(tmp_path):
    """Starts the command with flags and without training; see `stand_in.py`.

    The results folder is `results` in `tmp_path`, unless a flag names another; with
    `jobs=None` the command chooses the number of jobs.
    """
    program = [str(pathlib.Path(__file__).with_name("stand_in.py"))]

    def start(*flags, faults=(), seconds=0.0, jobs=1, **environment):
        notes = tmp_path / "notes"
        notes.mkdir(exist_ok=True)
        settings = {"notes": str(notes), "faults": list(faults), "seconds": seconds}
        flags = [
            "--exp=C2",
            "--preset=smoke",
            f"--results_dir={tmp_path}/results",
            *([f"--jobs={jobs}"] if jobs else []),
            *flags,
        ]
        return _start(program, flags, {"STAND_IN": json.dumps(settings), **environment})

    return start


@pytest.fixture
def stand_in(start_stand_in):
    """Runs the command with flags and without training until it ends."""
    return _until_it_ends(start_stand_in)


@pytest.fixture
def notes(tmp_path):
    """The notes of stand-ins, one for each trial begun: seed, rate, process, host."""

    def notes():
        files = sorted((tmp_path / "notes").glob("*.json"))
        return [json.loads(file.read_text()) for file in files]

    return notes


@pytest.fixture(scope="session")
def wait_for():
    """Waits until a condition is true; returns its value."""

    def wait_for(condition, seconds=60):
        deadline = time.monotonic() + seconds
        while not (value := condition()):
            assert time.monotonic() < deadline, "timed out"
            time.sleep(0.01)
        return value

    return wait_for


@pytest.fixture(scope="session")
def contents():
    """Every file below a folder, with its bytes and modification time."""

    def contents(folder):
        return {
            path.relative_to(folder).as_posix(): (
                path.read_bytes(),
                path.stat().st_mtime_ns,
            )
            for path in folder.rglob("*")
            if path.is_file()
        }

    return contents


def _field(number, content):
    """A field of a protocol buffer: bytes, or an integer below 128."""
    if isinstance(content, int):
        return bytes([number << 3, content])
    size = len(content)
    length = bytes([size]) if size < 128 else bytes([size & 127 | 128, size >> 7])
    return bytes([number << 3 | 2]) + length + content


def _record(image, label, backward):
    """A record of a shard, with its features in either order."""
    from keras_asymbp.benchmarks.datasets.reading.tfrecord import masked_crc

    content = io.BytesIO()
    Image.fromarray(image).save(content, "PNG")
    pairs = [
        _field(1, b"image") + _field(2, _field(1, _field(1, content.getvalue()))),
        _field(1, b"label") + _field(2, _field(3, _field(1, label))),
    ]
    features = pairs[::-1] if backward else pairs
    data = _field(1, b"".join(_field(1, pair) for pair in features))
    size = len(data).to_bytes(8, "little")
    crcs = (masked_crc(part).to_bytes(4, "little") for part in (size, data))
    return size + next(crcs) + data + next(crcs)


@pytest.fixture(scope="session")
def write_tfds():
    """Writes a data set of small colour images as TFDS does, without it.

    `splits` has the labels of each split, below 128; an image's colour is its label.
    """
    feature = "tensorflow_datasets.core.features"

    def write(root, name, splits, num_classes=3, colour=0, backward=False, names=()):
        folder = pathlib.Path(root, name, "1.0.0")
        folder.mkdir(parents=True, exist_ok=True)
        described = []
        for split, labels in splits.items():
            records = [
                _record(np.full((4, 5, 3), label + colour, np.uint8), label, backward)
                for label in labels
            ]
            file = folder / f"{name}-{split}.tfrecord-00000-of-00001"
            file.write_bytes(b"".join(records))
            # Without the length and the checksums of each.
            size = sum(len(record) - 16 for record in records)
            counts = [str(len(labels))]
            described.append(
                {"name": split, "shardLengths": counts, "numBytes": str(size)}
            )
        keys = [{"featureKey": key} for key in ("image", "label")]
        info = {
            "fileFormat": "tfrecord",
            "name": name,
            "splits": described,
            "supervisedKeys": {"tuple": {"items": keys}},
            "version": "1.0.0",
        }
        shape = {"dimensions": ["4", "5", "3"]}
        features = {
            "image": {
                "pythonClassName": f"{feature}.image_feature.Image",
                "image": {"dtype": "uint8", "shape": shape},
            },
            "label": {
                "pythonClassName": f"{feature}.class_label_feature.ClassLabel",
                "classLabel": {"numClasses": str(num_classes)},
            },
        }
        described = {
            "pythonClassName": f"{feature}.features_dict.FeaturesDict",
            "featuresDict": {"features": features},
        }
        (folder / "dataset_info.json").write_text(json.dumps(info))
        (folder / "features.json").write_text(json.dumps(described))
        if names:
            (folder / "label.labels.txt").write_text("\n".join(names) + "\n")
        return folder

    return write
