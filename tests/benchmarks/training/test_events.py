import contextlib
import json

import keras
import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import api_pb2, plugin_data_pb2

from keras_asymbp import metrics
from keras_asymbp.benchmarks.errors import UsageError
from keras_asymbp.benchmarks.results.store import Store, trial_id
from keras_asymbp.benchmarks.tables.experiments import Column
from keras_asymbp.benchmarks.training import events
from keras_asymbp.benchmarks.training.events import Events
from keras_asymbp.benchmarks.training.observers import Observer

BRSF = Column("brSF+BN+BM", rule="brSF", normalization="BN", setting=1)
QUANTITIES = {"angle", "norm_ratio", "sign_concordance"}


def read(folder):
    """A folder's events, as TensorBoard reads them."""
    accumulator = EventAccumulator(str(folder), size_guidance={"histograms": 0})
    return accumulator.Reload()


def scalars(folder):
    """A folder's curves by tag: (step, value) pairs."""
    found = read(folder)
    values = {}
    for tag in found.Tags()["tensors"]:
        if found.SummaryMetadata(tag).plugin_data.plugin_name == "scalars":
            values[tag] = [
                (event.step, float(np.squeeze(array(event))))
                for event in found.Tensors(tag)
            ]
    return values


def array(event):
    import tensorflow as tf

    return tf.make_ndarray(event.tensor_proto)


def hparams(folder):
    """A folder's hyper-parameters, and the status at the end."""
    content = read(folder).PluginTagToContent("hparams")
    start, end = (
        plugin_data_pb2.HParamsPluginData.FromString(
            content[f"_hparams_/session_{key}"]
        )
        for key in ("start_info", "end_info")
    )
    values = {
        name: getattr(value, value.WhichOneof("kind"))
        for name, value in start.session_start_info.hparams.items()
    }
    return values, start.session_start_info.group_name, end.session_end_info.status


def test_the_curves_are_those_that_are_stored(make_trainer, tmp_path):
    trainer, cell = make_trainer(BRSF, epochs=3)
    trial = cell.trials()[2]
    seen = []

    class Alignment(Observer):
        def epoch(self, row):
            seen.append((row, metrics.alignment(trainer.model)))

    result = trainer.train(trial, [Events(tmp_path), Alignment()])
    rows = result["curves"]
    assert [row for row, _ in seen] == rows
    assert len(rows) == 3
    folder = tmp_path / events.run_folder(cell, trial)
    names = {
        "train": {
            "epoch_loss": "train_loss",
            "epoch_error": "train_error",
            "epoch_learning_rate": "learning_rate",
        },
        "validation": {"epoch_loss": "test_loss", "epoch_error": "test_error"},
    }
    for part, tags in names.items():
        curves = scalars(folder / part)
        for tag, name in tags.items():
            expected = [(row["epoch"] - 1, np.float32(row[name])) for row in rows]
            assert curves.pop(tag) == expected
        if part == "validation":
            assert curves == {}
            continue
        # The others are the alignment of each layer after each epoch.
        layers = seen[0][1]
        assert layers
        assert set(curves) == {f"epoch_{x}/{q}" for x in layers for q in QUANTITIES}
        for tag, values in curves.items():
            layer, _, quantity = tag.removeprefix("epoch_").rpartition("/")
            assert values == [
                (step, np.float32(alignment[layer][quantity]))
                for step, (_, alignment) in enumerate(seen)
            ]
        angles = curves[f"epoch_{next(iter(layers))}/angle"]
        assert 0 < angles[0][1] < 90


def test_the_names_are_those_of_keras_s_own_callback(make_trainer, tmp_path):
    """With the metrics of our curves, and `AlignmentMonitor`."""
    from keras_asymbp import AlignmentMonitor

    trainer, cell = make_trainer(BRSF, epochs=1)
    trainer.train(cell.trials()[0], [Events(tmp_path)])
    (ours,) = tmp_path.glob("tiny/*/*/*")
    model = trainer.model

    class Error(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs):
            logs |= {"error": 0.0, "val_error": 0.0}

    x, y = np.zeros((10, 28, 28, 1), "float32"), np.zeros(10)
    model.fit(
        *(x, y),
        validation_data=(x, y),
        verbose=0,
        callbacks=[
            Error(),
            AlignmentMonitor(),
            keras.callbacks.TensorBoard(tmp_path / "keras", histogram_freq=1),
        ],
    )
    for part in ("train", "validation"):
        theirs = scalars(tmp_path / "keras" / part)
        assert set(scalars(ours / part)) <= set(theirs)
        steps = {step for value in scalars(ours / part).values() for step, _ in value}
        assert steps == {step for step, _ in theirs["epoch_loss"]}
    assert histograms(ours / "train") <= histograms(tmp_path / "keras" / "train")


def histograms(folder):
    found = read(folder)
    return {
        tag
        for tag in found.Tags()["tensors"]
        if found.SummaryMetadata(tag).plugin_data.plugin_name == "histograms"
    }


def test_histograms_of_all_weights(make_trainer, tmp_path):
    trainer, cell = make_trainer(BRSF, epochs=2)
    trial = cell.trials()[2]
    trainer.train(trial, [Events(tmp_path)])
    (folder,) = tmp_path.glob("tiny/*/*/*/train")
    weights = {w.path: w.numpy() for w in trainer.model.weights if "float" in w.dtype}
    assert histograms(folder) == {f"{path}/histogram" for path in weights}
    written = read(folder)
    for path, weight in weights.items():
        found = written.Tensors(f"{path}/histogram")
        assert [event.step for event in found] == [0, 1]
        buckets = array(found[-1])  # left edge, right edge, count
        assert buckets[:, 2].sum() == weight.size
        assert buckets[0, 0] == pytest.approx(weight.min())
        assert buckets[-1, 1] == pytest.approx(weight.max())


def test_hyper_parameters_and_the_final_error(make_trainer, tmp_path):
    trainer, cell = make_trainer(BRSF, epochs=2)
    trial = cell.trials()[2]
    settings = cell.settings(trial)
    result = trainer.train(trial, [Events(tmp_path)])
    (folder,) = tmp_path.glob("tiny/*/*/*")
    values, group, status = hparams(folder)
    assert set(values) == {"model", *settings}
    assert values["model"] == "brSF+BN+BM"
    assert values["feedback"] == "brSF"
    assert values["learning_rate"] == trial.learning_rate
    assert values["seed"] == 0
    assert values["batch_schedule"] == "[[0, 100]]"
    assert values["train_examples"] == "None"
    assert group == trial_id(settings)
    assert status == api_pb2.STATUS_SUCCESS
    assert scalars(folder) == {"best_error": [(0, np.float32(result["best_error"]))]}


def test_each_trial_has_its_folder(make_cell, tiny):
    columns = [
        BRSF,
        Column("a b/../c"),
        Column(".."),
        Column("uSF+BM", batch_schedules=(((0, None),), ((0, None), (3, 500)))),
    ]
    cells = [make_cell(column, tiny, seed=s) for column in columns for s in (0, 1)]
    folders = [
        events.run_folder(cell, trial) for cell in cells for trial in cell.trials()
    ]
    assert len(set(folders)) == len(folders)
    folders = [folder.as_posix().rpartition("-")[0] for folder in folders]
    assert "tiny/brSF+BN+BM/seed1/lr0.05" in folders
    assert "tiny/uSF+BM/seed0/lr0.05-batch100" in folders
    assert "tiny/uSF+BM/seed0/lr0.05-batch100-500" in folders
    assert "tiny/a_b_.._c/seed0/lr0.05" in folders
    assert "tiny/_/seed0/lr0.05" in folders
    longer, held_out = (
        make_cell(BRSF, tiny, **change)
        for change in ({"epochs": 9}, {"validation_share": 0.1})
    )
    assert len({events.run_folder(c, c.trials()[0]) for c in (longer, held_out)}) == 2


def test_events_of_an_interrupted_attempt_are_removed(make_trainer, tmp_path):
    trainer, cell = make_trainer(BRSF, epochs=2)
    trial = cell.trials()[2]
    (tmp_path / "mine.txt").write_text("mine")

    class Failing(Observer):
        def epoch(self, row):
            raise RuntimeError

    with contextlib.suppress(RuntimeError):
        trainer.train(trial, [Events(tmp_path), Failing()])
    (folder,) = tmp_path.glob("tiny/*/*/*")
    assert [step for step, _ in scalars(folder / "train")["epoch_loss"]] == [0]
    trainer.train(trial, [Events(tmp_path)])
    for part in ("", "train", "validation"):
        assert len(list((folder / part).glob("events.*"))) == 1
    assert [step for step, _ in scalars(folder / "train")["epoch_loss"]] == [0, 1]
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_a_trial_that_diverges(make_trainer, tmp_path):
    trainer, cell = make_trainer(epochs=3, learning_rates=(1e30,))
    (trial,) = cell.trials()
    result = trainer.train(trial, [Events(tmp_path)])
    assert result["diverged"]
    (folder,) = tmp_path.glob("tiny/*/*/*")
    finished = len(result["curves"])
    assert len(scalars(folder / "train").get("epoch_loss", [])) == finished
    assert scalars(folder)["best_error"] == [(0, np.float32(result["best_error"]))]


def test_writing_events_changes_neither_model_nor_random_state(make_trainer, tmp_path):
    trainer, cell = make_trainer(BRSF, epochs=3)
    trial = cell.trials()[2]
    result = trainer.train(trial)
    model = trainer.model
    variables = [*model.variables, *model.optimizer.variables]
    before = [variable.numpy() for variable in variables]
    keras.utils.set_random_seed(1)
    expected = keras.random.uniform((3,)), np.random.rand(3)
    keras.utils.set_random_seed(1)
    observer = Events(tmp_path)
    observer.begin(cell, trial, model)
    for row in result["curves"]:
        observer.epoch(row)
    observer.end(result)
    for old, variable in zip(before, variables, strict=True):
        np.testing.assert_array_equal(old, variable.numpy())
    for old, new in zip(
        expected, (keras.random.uniform((3,)), np.random.rand(3)), strict=True
    ):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize("broken", ["begin", "epoch", "end"])
def test_a_full_disk_costs_the_events_only(broken, make_trainer, tmp_path, monkeypatch):
    """TensorFlow's error for a full disk is that for memory."""
    import tensorflow as tf

    def fail(*arguments, **keywords):
        message = "{{node a}} /a/b; No space left on device\n\tFailed to flush 3 events"
        raise tf.errors.ResourceExhaustedError(None, None, message)

    places = {
        "begin": (tf.summary, "create_file_writer"),
        "epoch": (tf.summary, "scalar"),
        "end": (tf.summary.experimental, "write_raw_pb"),
    }
    monkeypatch.setattr(*places[broken], fail)
    trainer, cell = make_trainer(epochs=2)
    said = []
    result = trainer.train(cell.trials()[0], [Events(tmp_path, said.append)])
    assert len(result["curves"]) == 2
    assert said == [
        f"warning: can't write events into {tmp_path} (No space left on device): "
        "trials go on without them"
    ]


def test_running_out_of_memory_is_no_full_disk(make_trainer, tmp_path, monkeypatch):
    import tensorflow as tf

    def fail(model):
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating")

    monkeypatch.setattr(metrics, "alignment", fail)
    trainer, cell = make_trainer(epochs=2)
    with pytest.raises(tf.errors.ResourceExhaustedError):
        trainer.train(cell.trials()[0], [Events(tmp_path)])


def test_without_a_folder_there_are_no_events(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert events.require(None) is None
    assert events.require("") is None
    assert list(tmp_path.iterdir()) == []
    assert events.require("here/there") == str(tmp_path / "here" / "there")


def test_a_folder_that_cannot_be_written_is_one_line(benchmarks, tmp_path):
    (tmp_path / "file").write_text("mine")
    done = benchmarks(
        "--exp=C2",
        f"--tensorboard={tmp_path}/file/logs",
        f"--results_dir={tmp_path}/results",
    )
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"error: can't write to {tmp_path}/file/logs")
    assert "--tensorboard" in line
    assert not (tmp_path / "results").exists()


def test_without_tensorboard_the_command_names_the_extra_to_install(
    run_python, tmp_path
):
    output = run_python(
        "import sys\n"
        "sys.modules['tensorboard'] = None\n"
        f"sys.argv = ['keras-asymbp', '--exp=C2', '--tensorboard={tmp_path}/logs',"
        f" '--results_dir={tmp_path}/results']\n"
        "from keras_asymbp.benchmarks.commands.run import main\n"
        "sys.stderr = sys.stdout\n"
        "try:\n"
        "    main()\n"
        "except SystemExit as end:\n"
        "    print(end.code, 'tensorflow' in sys.modules)\n"
    )
    line, end = output.splitlines()
    assert line == (
        "error: tensorboard is not installed: "
        "pip install 'keras-asymbp[tensorboard]' brings it"
    )
    assert end == "2 False"
    assert list(tmp_path.iterdir()) == []


FLAGS = (
    *("--exp=A", "--models=SGD,brSF+BN+BM", "--preset=smoke", "--seeds=0,1"),
    *("--learning_rates=5e-4", "--threads=1", "--deterministic"),
)


@pytest.mark.slow
def test_results_are_the_same_bit_for_bit_in_every_executor_and_with_events(
    benchmarks, tmp_path
):
    """Whatever the process ran before, too."""
    ways = {"one": [], "two": ["--jobs=2"], "ray": ["--executor=ray"]}
    try:
        import ray  # noqa: F401
    except ModuleNotFoundError:
        del ways["ray"]
    results = {}
    for way, flags in ways.items():
        logs = tmp_path / way / "logs"
        if way != "one":
            flags = [*flags, f"--tensorboard={logs}"]
        done = benchmarks(*FLAGS, *flags, f"--results_dir={tmp_path / way}")
        assert done.returncode == 0, done.stderr
        trials = Store(tmp_path / way).trials()
        results[way] = {trial["id"]: trial["result"] for trial in trials}
        assert len(results[way]) == 4
        for trial in trials:
            machine = trial["machine"]
            assert (machine["threads"], machine["deterministic"]) == (1, True)
        assert "; 1 thread, deterministic" in (tmp_path / way / "report.md").read_text()
        folders = {p.relative_to(logs).as_posix() for p in logs.glob("*/*/*/*")}
        if way == "one":
            assert folders == set()
            continue
        assert folders == {
            f"mnist_5k/{trial['model']}/seed{trial['settings']['seed']}/"
            f"lr0.0005-{trial['id'][:8]}"
            for trial in trials
        }
        for trial in trials:
            name, seed = trial["model"], trial["settings"]["seed"]
            folder = logs / "mnist_5k" / name / f"seed{seed}"
            folder /= f"lr0.0005-{trial['id'][:8]}"
            assert scalars(folder / "validation")["epoch_error"] == [
                (row["epoch"] - 1, np.float32(row["test_error"]))
                for row in trial["result"]["curves"]
            ]
            assert hparams(folder)[1] == trial["id"]
    for way, found in results.items():
        assert json.dumps(found, sort_keys=True) == json.dumps(
            results["one"], sort_keys=True
        ), way


def test_events_need_tensorflow(tmp_path, monkeypatch):
    monkeypatch.setattr(events.importlib.util, "find_spec", lambda name: None)
    folder = tmp_path / "events"
    with pytest.raises(UsageError, match="--tensorboard needs TensorFlow"):
        events.require(str(folder))
    assert not folder.exists()
