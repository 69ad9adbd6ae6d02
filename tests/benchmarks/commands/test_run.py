import importlib.metadata
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest

from keras_asymbp.benchmarks.results.store import Store
from keras_asymbp.benchmarks.tables import experiments

# What the command line must not import before it trains.
SLOW_IMPORTS = {"tensorflow", "keras", "keras_tuner", "tensorflow_datasets", "ray"}


def imported(stderr):
    """The top-level packages that a process imported, by -X importtime."""
    names = re.findall(r"^import time: .*\| +([\w.]+)$", stderr, re.MULTILINE)
    assert names
    return {name.partition(".")[0] for name in names}


@pytest.mark.parametrize("flag", ["--help", "--list"])
def test_help_and_list_import_little(flag, benchmarks):
    done = benchmarks(flag, PYTHONPROFILEIMPORTTIME="1")
    assert done.returncode == 0
    assert not imported(done.stderr) & (SLOW_IMPORTS | {"rich", "jinja2"})


def test_help_lists_every_flag(benchmarks):
    done = benchmarks("--help")
    assert done.returncode == 0
    assert "keras-asymbp run --exp C2" in done.stdout
    flags = re.findall(r"^  --([\w\[\]]+)", done.stdout, re.MULTILINE)
    for flag in (
        *("exp", "datasets", "models", "preset", "epochs", "learning_rates"),
        *("train_examples", "test_examples", "architecture"),
        *("seeds", "data_dir", "results_dir", "list[", "dry_run"),
        *("executor", "jobs", "threads", "address", "num_cpus", "num_gpus"),
        *("retries", "results_by", "deterministic", "[no]whole_epochs", "lanes"),
        *("help", "version"),
    ):
        assert flag in flags
    assert flags[0] == "exp"
    assert done.stderr == ""


def test_list_names_everything(benchmarks):
    done = benchmarks("--list")
    assert done.stderr == ""
    for experiment in experiments.EXPERIMENTS.values():
        assert f"\n  {experiment.name} " in done.stdout
    for words in ("mnist_5k  ", "smoke  ", "svhn (", "uSF+BN+BM Bottom"):
        assert words in done.stdout
    topic = benchmarks("--list=Presets")
    assert topic.stdout.startswith("Presets, for --preset\n")
    assert "mnist_5k" not in topic.stdout


def test_the_console_script_is_the_same_program():
    (script,) = importlib.metadata.entry_points(
        group="console_scripts", name="keras-asymbp"
    )
    assert script.value == "keras_asymbp.benchmarks.commands.subcommands:main"
    path = pathlib.Path(sys.executable).with_name("keras-asymbp")
    if not path.exists():
        pytest.skip("the package is not installed in this Python's environment")
    for flag in ("--help", "--list"):
        script, module = (
            subprocess.run(
                [*command, flag],
                capture_output=True,
                text=True,
                timeout=60,
                check=True,
                env={
                    **os.environ,
                    **{"PYTHONPROFILEIMPORTTIME": "1", "TF_CPP_MIN_LOG_LEVEL": "0"},
                },
            )
            for command in (
                [path, "run"],
                [sys.executable, "-m", "keras_asymbp.benchmarks"],
            )
        )
        assert not imported(script.stderr) & SLOW_IMPORTS
        # Each names the file that was started.
        assert re.sub("(?m)^/.*:$", "", script.stdout) == re.sub(
            "(?m)^/.*:$", "", module.stdout
        )


@pytest.mark.parametrize(("before", "after"), [(None, "1"), ("0", "0")])
def test_onednn_is_on_unless_the_user_has_set_it(before, after, run_python):
    output = run_python(
        "import os, sys; sys.argv = ['keras-asymbp', '--list']\n"
        "os.environ.pop('TF_ENABLE_ONEDNN_OPTS')\n"
        f"os.environ.update({ {'TF_ENABLE_ONEDNN_OPTS': before} if before else {} })\n"
        "from keras_asymbp.benchmarks import guard\n"
        "from keras_asymbp.benchmarks.commands.run import main\n"
        # What the guard runs imports TensorFlow, where the variable is read.
        "guard.run = lambda *_: print(os.environ['TF_ENABLE_ONEDNN_OPTS'])\n"
        "main()\n"
        "assert 'tensorflow' not in sys.modules\n"
    )
    assert output == f"{after}\n"


BAD_INPUT = {
    # Case: flags, and words of the error.
    "no experiment": ([], ["--exp", "C2"]),
    "empty experiment": (["--exp="], ["--exp=: needs one or more"]),
    "unknown experiment": (["--exp=C9"], ["experiment 'C9'", "C2"]),
    "no table of one's own": (
        ["--exp={folder}/mine.yaml"],
        ["can't read {folder}/mine.yaml (No such file", "ends in .yaml, .yml, .py"],
    ),
    "unknown data set": (
        ["--exp=C2", "--datasets=mnist_5k,cifar"],
        ["data set 'cifar'", "did you mean 'cifar10'", "--list"],
    ),
    "no data set": (["--exp=C2", "--datasets="], ["--datasets=: needs one"]),
    "unknown model": (
        ["--exp=C2", "--models=SGD,uSF"],
        ["model of experiment C2 'uSF'", "SGD", "uSF+BN+BM Top"],
    ),
    "model of no experiment": (
        ["--exp=all", "--models=SGD,uSF+BN+BM9"],
        ["'uSF+BN+BM9'", "A, B1, B2, C1, C2, BM", "mean 'uSF+BN+BM'?"],
    ),
    "unknown executor": (
        ["--exp=C2", "--executor=slurm"],
        ["executor 'slurm'", "local, ray"],
    ),
    "no jobs": (["--exp=C2", "--jobs=0"], ["--jobs", "1 or more", "0"]),
    "jobs on Ray": (
        ["--exp=C2", "--executor=ray", "--jobs=2"],
        ["--jobs", "--executor ray"],
    ),
    "no training examples": (
        ["--exp=C2", "--train_examples=0"],
        ["--train_examples", "1 or more", "0"],
    ),
    "negative test examples": (
        ["--exp=C2", "--test_examples=-5"],
        ["--test_examples", "1 or more", "-5"],
    ),
    "more examples than there are": (
        ["--exp=C2", "--train_examples=4001"],
        ["4001", "4000", "mnist_5k"],
    ),
    "unknown network": (
        ["--exp=C2", "--architecture=lenet"],
        ["architecture 'lenet'", "mean 'lenet-mnist'", "--list"],
    ),
    "network for other inputs": (
        ["--exp=C2", "--architecture=timit"],
        ["mnist_5k", "'timit'", "--list=networks"],
    ),
    "unknown preset": (["--exp=C2", "--preset=slow"], ["'slow'", "quick", "paper"]),
    "no epochs": (["--exp=C2", "--epochs=0"], ["--epochs", "1 or more", "0"]),
    "negative epochs": (["--exp=C2", "--epochs=-3"], ["--epochs", "1 or more", "-3"]),
    "epochs no integer": (
        ["--exp=C2", "--epochs=many"],
        ["--epochs", "many", "--help"],
    ),
    "negative rate": (["--exp=C2", "--learning_rates=5e-4,-1"], ["'-1'", "above 0"]),
    "rate of zero": (["--exp=C2", "--learning_rates=0"], ["'0'", "above 0"]),
    "rate is NaN": (["--exp=C2", "--learning_rates=nan"], ["'nan'", "above 0"]),
    "rate is infinite": (["--exp=C2", "--learning_rates=inf"], ["'inf'", "above 0"]),
    "rate no number": (["--exp=C2", "--learning_rates=x"], ["'x'", "above 0"]),
    "no rates": (["--exp=C2", "--learning_rates="], ["--learning_rates=: needs"]),
    "negative seed": (["--exp=C2", "--seeds=0,-1"], ["seed '-1'", "0 or more"]),
    "seed no integer": (["--exp=C2", "--seeds=1.5"], ["seed '1.5'", "integer"]),
    "seed too large": (["--exp=C2", "--seeds=2147483648"], ["2147483648", "2^31"]),
    "no seeds": (["--exp=C2", "--seeds="], ["--seeds=: needs one"]),
    "results in a file": (
        ["--exp=C2", "--results_dir={folder}/file"],
        ["{folder}/file", "--results_dir"],
    ),
    "results below a file": (
        ["--exp=C2", "--results_dir={folder}/file/results"],
        ["{folder}/file/results", "--results_dir"],
    ),
    "data set not there": (
        ["--exp=C2", "--datasets=mnist_5k,mnist", "--data_dir={folder}/empty"],
        ["'mnist' is not prepared", "{folder}/empty", "--data_dir", "--prepare mnist"],
    ),
    "data folder not there": (
        ["--exp=C2", "--datasets=mnist", "--data_dir={folder}/nowhere"],
        ["'mnist' is not prepared", "{folder}/nowhere", "--data_dir"],
    ),
    "unknown flag": (
        ["--exp=C2", "--epoch=3"],
        ["'--epoch'", "did you mean '--epochs'"],
    ),
    "flag of the library only": (["--exp=C2", "--momentum=-1"], ["momentum", "--help"]),
    "flag without a value": (["--exp"], ["exp", "--help"]),
    "argument": (["C2"], ["'C2'", "--"]),
    "two lines": (
        ["--exp=C2", "--preset=a\nTraceback\nb"],
        ["'a Traceback b'", "quick"],
    ),
}


@pytest.mark.parametrize("case", BAD_INPUT)
def test_bad_input_is_one_line(case, benchmarks, tmp_path, contents):
    given, expected = BAD_INPUT[case]
    results = tmp_path / "results"
    for folder in (results / "trials", tmp_path / "empty"):
        folder.mkdir(parents=True)
    (tmp_path / "file").write_text("mine")
    (results / "trials" / "x.json").write_text("{}")
    before = contents(tmp_path)

    flags = [flag.format(folder=tmp_path) for flag in given]
    if not any("results_dir" in flag for flag in flags):
        flags.append(f"--results_dir={results}")
    if case == "flag without a value":
        flags.reverse()
    done = benchmarks(*flags, timeout=60)

    assert done.returncode == 2
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ")
    for words in expected:
        assert words.format(folder=tmp_path) in line
    assert contents(tmp_path) == before


def test_bad_input_makes_no_folder(benchmarks, tmp_path):
    folder = tmp_path / "results"
    for flags in (["--models=x"], ["--datasets=x"], ["--seeds=x"], ["--epochs=0"]):
        flags += ["--exp=C2", f"--results_dir={folder}"]
        assert benchmarks(*flags, timeout=60).returncode == 2
    assert not folder.exists()


def test_another_backend_is_one_line(benchmarks, tmp_path):
    flags = ["--exp=C2", f"--results_dir={tmp_path}/results"]
    done = benchmarks(*flags, timeout=60, KERAS_BACKEND="torch")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == (
        "error: the benchmarks train on tensorflow or jax, and Keras's backend is "
        "torch: choose another with --backend\n"
    )
    assert not (tmp_path / "results").exists()
    for flag in ("--help", "--list", "--dry_run"):
        done = benchmarks(*flags, flag, timeout=60, KERAS_BACKEND="torch")
        assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_both_backends_give_the_same_results(benchmarks, tmp_path):
    flags = [
        *("--exp=A", "--models=SGD,uSF+BN", "--preset=smoke", "--seeds=0,1"),
        # Stable rates: others multiply the differences of rounding.
        *("--learning_rates=5e-4,5e-5", "--jobs=2"),
    ]
    losses = {}
    for backend in ("tensorflow", "jax"):
        folder = tmp_path / backend
        done = benchmarks(
            *flags, f"--results_dir={folder}", f"--backend={backend}", NPROC="1"
        )
        assert done.returncode == 0, done.stderr
        trials = list(Store(folder).trials())
        assert {trial["machine"]["backend"] for trial in trials} == {backend}
        assert all(backend in trial["versions"] for trial in trials)
        losses[backend] = {
            trial["id"]: trial["result"]["curves"][0]["train_loss"] for trial in trials
        }
    assert len(losses["jax"]) == 8
    assert losses["jax"] == pytest.approx(losses["tensorflow"], rel=1e-4)
    # Stored by either, a trial is found by the other, and the report says so.
    for file in (tmp_path / "jax" / "trials").iterdir():
        trial = json.loads(file.read_text())
        if trial["settings"]["seed"] == 1:
            file.replace(tmp_path / "tensorflow" / "trials" / file.name)
        else:
            file.unlink()
    shutil.rmtree(tmp_path / "jax")
    folder = tmp_path / "tensorflow"
    done = benchmarks(*flags, f"--results_dir={folder}", "--backend=jax")
    assert "8 found stored" in done.stdout
    report = (folder / "report.md").read_text()
    assert "- 4 trials on " in report
    assert ", tensorflow " in report
    assert ", jax " in report


@pytest.mark.slow
def test_jax_trains_where_tensorflow_is_not_installed(tmp_path):
    program = (
        "import runpy, sys\n"
        "sys.modules |= {'tensorflow': None, 'tensorflow_datasets': None}\n"
        "runpy.run_module('keras_asymbp.benchmarks', run_name='__main__')\n"
    )
    flags = [
        *("--exp=A", "--models=SGD", "--preset=smoke", "--backend=jax", "--jobs=1"),
        f"--results_dir={tmp_path}",
    ]
    variables = {"KERAS_BACKEND": "jax", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-W", "error::UserWarning", "-c", program, *flags],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "2 trials run" in done.stdout
    assert (tmp_path / "report.md").is_file()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_results_folder_is_one_line(benchmarks, tmp_path):
    tmp_path.chmod(0o555)
    done = benchmarks("--exp=C2", f"--results_dir={tmp_path}/results", timeout=60)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: can't write to the results folder")


@pytest.mark.parametrize(
    "missing", ["rich", "jinja2", pytest.param("keras_tuner", marks=pytest.mark.slow)]
)
def test_a_package_that_is_missing_is_one_line(missing, tmp_path):
    # The plain installation lacks the packages that only the benchmarks need.
    done = subprocess.run(
        [
            *(sys.executable, "-c"),
            f"import sys; sys.modules[{missing!r}] = None\n"
            "sys.argv = ['keras-asymbp', '--exp=C2',\n"
            f"    '--results_dir={tmp_path}/results']\n"
            "from keras_asymbp.benchmarks.commands.run import main; main()",
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == 2
    # TensorFlow, once it is imported, has its own lines.
    *others, line = done.stderr.splitlines()
    assert not others or missing == "keras_tuner"
    assert "Traceback" not in done.stderr
    assert re.match(rf"error: {missing}\S* is not installed", line)
    assert "pip install 'keras-asymbp[benchmarks]'" in line


# Real runs, from the command to the report.

READING = "--reading=unit-he-sum-decay"  # with which one epoch at these rates is enough
FLAGS = (
    *("--exp=C2", "--epochs=1", "--models=SGD,uSF+BN+BM Bottom"),
    *("--learning_rates=5e-4,5e-5", "--seeds=0,1", READING),
)


@pytest.fixture(scope="module")
def first(benchmarks, tmp_path_factory):
    """A first run and its results folder, which already held a file of the user's."""
    folder = tmp_path_factory.mktemp("first run") / "results"
    (folder / "trials").mkdir(parents=True)
    (folder / "trials" / "notes.txt").write_text("mine")
    done = benchmarks(*FLAGS, f"--results_dir={folder}")
    assert done.returncode == 0, done.stderr
    return done, folder


def table_of(output):
    """The rows of a Markdown table as lists of cells."""
    return [
        [cell.strip() for cell in line.split("|")[1:-1]]
        for line in output.splitlines()
        if line.startswith("|")
    ]


@pytest.mark.slow
def test_a_run_prints_a_line_a_trial_and_the_table(first):
    done, folder = first
    lines = done.stdout.splitlines()
    assert [line.partition(":")[0] for line in lines[1:9]] == [
        f"{number}/8 mnist_5k | {name} | rate {rate} | seed {seed}"
        for number, (seed, name, rate) in enumerate(
            (
                (seed, name, rate)
                for name in ("SGD", "uSF+BN+BM Bottom")
                for seed in (0, 1)
                for rate in ("0.0005", "5e-05")
            ),
            1,
        )
    ]
    heading, _, ours, theirs = table_of(done.stdout)
    assert heading == ["error, %", "SGD", "uSF+BN+BM Bottom"]
    assert re.fullmatch(r"\d+\.\d\d ±\d+\.\d\d", ours[1])
    assert theirs == ["paper: MNIST", "0.67", "0.66"]
    assert lines[-1] == (
        f"8 trials run, 0 found stored; report: {folder / 'report.html'}"
    )
    assert "\x1b" not in done.stdout


@pytest.mark.slow
def test_the_tables_figure_is_the_mean_of_the_best_trials(first):
    done, folder = first
    best = {}
    for path in (folder / "trials").glob("*.json"):
        trial = json.loads(path.read_text())
        key = trial["model"], trial["settings"]["seed"]
        best[key] = min(best.get(key, 1), trial["result"]["best_error"])
    assert len(best) == 4
    _, _, ours, _ = table_of(done.stdout)
    for figure, name in zip(ours[1:], ("SGD", "uSF+BN+BM Bottom"), strict=True):
        a, b = 100 * best[name, 0], 100 * best[name, 1]
        assert a < 50  # it has learned
        mean, spread = re.sub("[▲▼]", "", figure).split(" ±")
        assert float(mean) == pytest.approx((a + b) / 2, abs=0.006)
        assert float(spread) == pytest.approx(abs(a - b) / 2**0.5, abs=0.006)


@pytest.mark.slow
def test_the_reports_describe_the_run(first):
    done, folder = first
    _, _, ours, _ = table_of(done.stdout)
    for name in ("report.md", "report.html"):
        text = (folder / name).read_text(encoding="utf-8")
        for figure in ours:
            assert figure in text
        assert "notes.txt" in text
        # The page has a word of a command in a span each, between which it may break.
        words = re.sub("</?span>", "", text)
        assert "python -m keras_asymbp.benchmarks --jobs=1 --exp=C2 --epochs=1" in words


@pytest.mark.slow
def test_a_foreign_file_is_named_and_left_alone(first):
    done, folder = first
    (warning,) = [x for x in done.stderr.splitlines() if x.startswith("warning: ")]
    assert str(folder / "trials" / "notes.txt") in warning
    assert warning.endswith("left alone")
    assert (folder / "trials" / "notes.txt").read_text() == "mine"


@pytest.mark.slow
def test_trials_record_their_machine(first):
    _, folder = first
    for path in (folder / "trials").glob("*.json"):
        machine = json.loads(path.read_text())["machine"]
        assert machine["onednn"] == "1"


@pytest.mark.slow
def test_the_same_command_again_runs_nothing(first, benchmarks, contents):
    done, folder = first
    before = contents(folder / "trials")
    again = benchmarks(*FLAGS, f"--results_dir={folder}", PYTHONPROFILEIMPORTTIME="1")
    assert again.returncode == 0
    assert "0 trials run, 8 found stored" in again.stdout
    assert table_of(again.stdout) == table_of(done.stdout)
    assert not imported(again.stderr) & SLOW_IMPORTS
    assert contents(folder / "trials") == before


@pytest.mark.slow
def test_a_part_of_a_run_is_found_too(first, benchmarks):
    _, folder = first
    part = benchmarks(
        *("--exp=C2", "--epochs=1", "--models=SGD", "--learning_rates=5e-5"),
        READING,
        f"--results_dir={folder}",
    )
    assert "0 trials run, 1 found stored" in part.stdout


@pytest.mark.slow
def test_other_epochs_are_other_cells(first, benchmarks, contents):
    done, folder = first
    before = contents(folder / "trials")
    flags = ("--exp=C2", "--models=SGD", "--learning_rates=5e-5", READING)
    more = benchmarks(*flags, "--epochs=2", f"--results_dir={folder}")
    assert "1 trial run, 0 found stored" in more.stdout
    assert before.items() <= contents(folder / "trials").items()
    (path,) = set(contents(folder / "trials")) - set(before)
    trial = json.loads((folder / "trials" / path).read_text())
    assert [row["epoch"] for row in trial["result"]["curves"]] == [1, 2]
    _, _, ours, _ = table_of(more.stdout)
    assert float(ours[1]) == pytest.approx(100 * trial["result"]["best_error"])
    # The first command still has its own figures.
    again = benchmarks(*FLAGS, f"--results_dir={folder}")
    assert table_of(again.stdout) == table_of(done.stdout)


@pytest.mark.slow
def test_a_report_that_cannot_be_written_is_one_line(first, benchmarks, contents):
    _, folder = first
    (folder / "report.md").unlink()
    (folder / "report.md").mkdir()
    before = contents(folder / "trials")
    try:
        done = benchmarks(*FLAGS, f"--results_dir={folder}")
    finally:
        (folder / "report.md").rmdir()
    assert done.returncode == 2
    line = done.stderr.splitlines()[-1]
    assert line.startswith("error: can't write the report")
    assert "Traceback" not in done.stderr
    assert contents(folder / "trials") == before


@pytest.mark.slow
def test_every_model_of_every_table_runs(benchmarks, tmp_path):
    flags = ("--exp=all", "--preset=smoke", f"--results_dir={tmp_path}")
    done = benchmarks(*flags, timeout=900)
    assert done.returncode == 0, done.stderr
    rows = table_of(done.stdout)
    tables = experiments.EXPERIMENTS.values()
    assert [row[1:] for row in rows if row[0] == "error, %"] == [
        [column.name for column in experiment.columns] for experiment in tables
    ]
    ours = [figure for row in rows if row[0] == "mnist_5k" for figure in row[1:]]
    assert len(ours) == sum(len(experiment.columns) for experiment in tables)
    assert all(re.fullmatch(r"\d+\.\d\d[▲▼]?", figure) for figure in ours)
    # 37 names for 33 models (BM and BM1 are one, as are SGD Top and RndF Top), each
    # trained once at two rates.
    assert "66 trials run, 0 found stored" in done.stdout
    report = (tmp_path / "report.md").read_text()
    assert "500 training examples, 200 test examples" in report
    for experiment in tables:
        assert f"## {experiment.name}: {experiment.title}" in report


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ["large", "svhn"])
def test_another_network_on_the_same_images(architecture, benchmarks, tmp_path):
    done = benchmarks(
        *("--exp=A", "--models=SGD", "--preset=smoke", "--learning_rates=5e-4"),
        *(f"--architecture={architecture}", f"--results_dir={tmp_path}"),
    )
    assert done.returncode == 0, done.stderr
    (path,) = (tmp_path / "trials").iterdir()
    trial = json.loads(path.read_text())
    assert trial["settings"]["architecture"] == architecture
    assert len(trial["result"]["curves"]) == 1


@pytest.fixture
def tiny_images(tmp_path):
    """A file of noise in the shape of CIFAR-10."""
    random = np.random.default_rng(0)
    shape = (32, 32, 3)
    arrays = {
        f"{name}_{split}": values
        for split, count in (("train", 160), ("test", 40))
        for name, values in (
            ("x", random.integers(0, 256, (count, *shape), dtype=np.uint8)),
            ("y", np.arange(count) % 10),
        )
    }
    np.savez(tmp_path / "tiny.npz", **arrays)
    return tmp_path / "tiny.npz"


@pytest.mark.slow
def test_fa_bench_runs_every_rule_and_chooses_on_held_out_examples(
    benchmarks, tmp_path
):
    flags = ("--exp=FA-bench", "--preset=smoke", f"--results_dir={tmp_path}")
    done = benchmarks(*flags)
    assert done.returncode == 0, done.stderr
    assert "| BioTorch: MNIST lenet-mnist | 0.91 | 1.70 |" in done.stdout
    trials = Store(tmp_path).trials()
    assert len(trials) == 8 * 2
    for trial in trials:
        assert trial["settings"]["validation_share"] == 0.1
        assert trial["settings"]["architecture"] == "lenet-mnist"
        row = trial["result"]["curves"][0]
        assert trial["result"]["validation_error"] == row["validation_error"]
    report = (tmp_path / "report.md").read_text()
    assert "10 % of the training examples held out" in report
    assert "BioTorch: MNIST lenet-mnist" in (tmp_path / "report.html").read_text()
    # A user's choice comes first.
    flags = (*flags, "--models=BP", "--validation_share=0", "--architecture=mnist")
    done = benchmarks(*flags)
    assert done.returncode == 0, done.stderr
    assert "2 trials run" in done.stdout
    assert "BioTorch: no row" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    "backend", ["tensorflow", pytest.param("jax", id="jax, whole epochs")]
)
def test_biotorchs_protocol(backend, benchmarks, tiny_images, tmp_path):
    flags = (
        *("--exp=FA-bench", f"--datasets={tiny_images}", "--preset=biotorch"),
        *("--architecture=lenet-cifar", "--augmentation=standard", "--epochs=4"),
        *("--models=uSF", f"--results_dir={tmp_path / 'results'}"),
        *(f"--backend={backend}", "--threads=1"),
    )
    on_jax = ("--whole_epochs", "--lanes=2") if backend == "jax" else ()
    done = benchmarks(*flags, *on_jax)
    assert done.returncode == 0, done.stderr
    trials = Store(tmp_path / "results").trials()
    assert {t["settings"]["learning_rate"] for t in trials} == {0.1 / 128, 0.001 / 128}
    for trial in trials:
        settings = trial["settings"]
        assert settings["schedule"] == "biotorch"
        assert settings["kernel_initializer"] == "glorot_uniform"
        assert (settings["weight_decay"], settings["batch_schedule"]) == (
            *(0.0128, [[0, 128]]),
        )
        rate = settings["learning_rate"]
        assert [row["learning_rate"] for row in trial["result"]["curves"]] == [
            pytest.approx(rate * factor) for factor in (1, 0.1, 0.01, 0.001)
        ]
    report = (tmp_path / "results" / "report.md").read_text()
    assert "Preset `biotorch`: 4 epochs" in report
    assert "no flag" not in report


@pytest.mark.slow
def test_cifar10_itself(benchmarks, tfds_data_dir, tmp_path):
    done = benchmarks(
        *("--exp=A", "--datasets=cifar10", "--models=BN", "--preset=smoke"),
        *(f"--data_dir={tfds_data_dir}", f"--results_dir={tmp_path}"),
    )
    assert done.returncode == 0, done.stderr
    _, _, ours, theirs = table_of(done.stdout)
    assert float(ours[1]) < 85  # it has learned something
    assert theirs == ["paper: CIFAR", "16.75"]


@pytest.mark.slow
def test_mnist_itself(benchmarks, tfds_data_dir, tmp_path):
    done = benchmarks(
        *("--exp=C2", "--datasets=mnist", "--models=SGD", "--epochs=1"),
        *("--learning_rates=5e-4", f"--data_dir={tfds_data_dir}"),
        f"--results_dir={tmp_path}",
    )
    assert done.returncode == 0, done.stderr
    (path,) = (tmp_path / "trials").iterdir()
    trial = json.loads(path.read_text())
    assert trial["settings"]["dataset"] == "mnist"
    assert re.fullmatch("sha256-[0-9a-f]{16}", trial["settings"]["data_version"])
    assert trial["result"]["best_error"] < 0.05
    errors = 10_000 * trial["result"]["best_error"]
    assert errors == pytest.approx(round(errors))
    assert "is not the paper's" not in (tmp_path / "report.md").read_text()
