"""The script printed by `--sbatch`, run by a stand-in for Slurm's `sbatch`."""

import contextlib
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys

import pytest

from keras_asymbp.benchmarks.errors import UsageError
from keras_asymbp.benchmarks.run import slurm
from keras_asymbp.benchmarks.run.executors import Execution


def directives(text):
    """The lines that Slurm reads: those before the first command."""
    found = {}
    for line in text.splitlines()[1:]:
        if line.strip() and not line.startswith("#"):
            break
        if line.startswith("#SBATCH "):
            option, _, value = line.removeprefix("#SBATCH ").partition("=")
            found[option] = value
    return found


@pytest.fixture
def sbatch(tmp_path):
    """Runs all tasks of an array at once; returns their exit codes and logs.

    As with Slurm, a task inherits environment and folder from the submission, and its
    standard output and error go to a file.
    """

    def sbatch(text):
        found = directives(text)
        script = tmp_path / "array.sh"
        script.write_text(text)
        first, last = map(int, found["--array"].split("-"))
        with contextlib.ExitStack() as stack:
            tasks = []
            for number in range(first, last + 1):
                name = found["--output"].replace("%A", "77").replace("%a", str(number))
                log = stack.enter_context((tmp_path / name).open("w"))
                environment = {
                    "SLURM_ARRAY_JOB_ID": "77",
                    "SLURM_ARRAY_TASK_ID": str(number),
                    "SLURM_CPUS_PER_TASK": found["--cpus-per-task"],
                }
                tasks.append(
                    subprocess.Popen(
                        ["bash", script],
                        cwd=tmp_path,
                        stdin=subprocess.DEVNULL,
                        stdout=log,
                        stderr=subprocess.STDOUT,
                        env=os.environ | environment,
                        start_new_session=True,
                    )
                )
            try:
                codes = [task.wait(timeout=300) for task in tasks]
            finally:
                for task in tasks:
                    task.kill()
        logs = sorted(tmp_path.glob(found["--output"].partition("%")[0] + "*"))
        assert len(logs) == last - first + 1
        return codes, [log.read_text() for log in logs]

    return sbatch


@pytest.fixture
def submitted(monkeypatch, tmp_path):
    """Sets the environment that a job inherits."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))

    def submitted(**environment):
        for name, value in environment.items():
            monkeypatch.setenv(name, value)

    return submitted


def trials_run(logs):
    """Number of trials that each task reports to have run."""
    return [
        int(re.search(r"^(\d+) trials? run, ", log, re.MULTILINE)[1]) for log in logs
    ]


def test_two_tasks_share_the_work(stand_in, sbatch, submitted, notes, tmp_path):
    flags = ("--models=SGD,RndF", "--seeds=0,1,2,3")
    printed = stand_in("--sbatch", 2, *flags)
    assert printed.returncode == 0, printed.stderr
    assert not (tmp_path / "results").exists()
    settings = {"notes": str(tmp_path / "notes"), "faults": [], "seconds": 0.2}
    submitted(STAND_IN=json.dumps(settings))
    codes, logs = sbatch(printed.stdout)
    assert codes == [0, 0], logs
    begun = [(note["model"], note["seed"], note["rate"]) for note in notes()]
    assert len(begun) == len(set(begun)) == 16
    assert len(list((tmp_path / "results" / "trials").iterdir())) == 16
    assert sum(trials_run(logs)) == 16
    assert min(trials_run(logs)) > 0


@pytest.mark.slow
def test_two_tasks_train(benchmarks, sbatch, submitted, tmp_path):
    printed = benchmarks(
        *(
            "--exp=C2",
            "--preset=smoke",
            "--models=SGD,RndF",
            "--seeds=0,1",
            "--threads=1",
        ),
        *(f"--results_dir={tmp_path}/results", "--sbatch=2"),
    )
    assert printed.returncode == 0, printed.stderr
    codes, logs = sbatch(printed.stdout)
    assert codes == [0, 0], logs
    paths = (tmp_path / "results" / "trials").iterdir()
    trials = [json.loads(path.read_text()) for path in paths]
    assert len(trials) == len({trial["id"] for trial in trials}) == 8
    assert {trial["machine"]["threads"] for trial in trials} == {1}
    assert sum(trials_run(logs)) == 8
    assert (tmp_path / "results" / "report.html").exists()


def test_the_command_is_kept_as_typed(benchmarks, tmp_path):
    folder = tmp_path / "a 'folder'; $(exit)"
    flags = ["--exp=C2", f"--results_dir={folder}", "--jobs", "3", "--threads=2"]
    printed = benchmarks(*flags[:2], "--sbatch", 5, *flags[2:])
    assert printed.stderr == ""
    *_, change_folder, command = printed.stdout.splitlines()
    assert shlex.split(change_folder) == ["cd", os.getcwd()]
    assert shlex.split(command) == [
        *(sys.executable, "-m", "keras_asymbp.benchmarks"),
        *flags,
    ]
    assert not folder.exists()


def test_directives_of_the_script():
    text = slurm.script(3, Execution(jobs=4, threads=2), ["x"], "/a b")
    assert directives(text) == {
        "--job-name": "keras-asymbp",
        "--array": "1-3",
        "--ntasks": "1",
        "--cpus-per-task": "8",
        "--output": "keras-asymbp-%A_%a.log",
    }
    assert text.startswith("#!/bin/bash\n")
    assert text.endswith("\nset -euo pipefail\ncd '/a b'\nx\n")
    one = slurm.script(1, Execution(), ["x"], "/")
    assert directives(one)["--cpus-per-task"] == "1"


@pytest.mark.parametrize("form", [["--sbatch", "4"], ["--sbatch=4"], ["-sbatch=4"]])
def test_the_flag_itself_is_left_out(form):
    assert slurm.without_flag(["a", *form, "b=--sbatch"], "sbatch") == [
        "a",
        "b=--sbatch",
    ]


@pytest.mark.parametrize(
    ("tasks", "execution", "words"),
    [
        (0, Execution(), "--sbatch must be 1 or more, not 0"),
        (2, Execution(executor="ray"), "--sbatch is not for --executor ray"),
    ],
)
def test_invalid_requests_are_refused(tasks, execution, words):
    with pytest.raises(UsageError, match=re.escape(words)):
        slurm.script(tasks, execution, ["x"], "/")


def test_a_bad_request_prints_no_script(benchmarks):
    done = benchmarks("--exp=C9", "--sbatch=2")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("error: unknown experiment 'C9'")


def test_a_task_that_fails_fails_the_job(sbatch, tmp_path):
    text = slurm.script(1, Execution(), ["false"], os.fspath(pathlib.Path.cwd()))
    codes, _ = sbatch(text)
    assert codes == [1]
    gone = slurm.script(1, Execution(), ["true"], str(tmp_path / "gone"))
    codes, logs = sbatch(gone)
    assert codes == [1]
    assert "gone" in logs[0]
