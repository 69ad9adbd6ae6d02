import os
import pathlib
import subprocess
import sys
import time
import types

import pytest

from benchmarks.gpu import __main__ as gpu
from keras_asymbp.benchmarks.commands.subcommands import GROUPS, SUBCOMMANDS
from keras_asymbp.benchmarks.results.store import Store

_ROOT = pathlib.Path(gpu.__file__).parents[2]
# Counts to a minute, unless Ctrl-C is answered as it says.
_WAITS = """
import signal, sys, time
{}
for _ in range(600):
    time.sleep(0.1)
"""


def test_a_command_that_ends_in_time_keeps_its_exit_code():
    command = [sys.executable, "-c", "raise SystemExit(7)"]
    assert gpu.run(command, 60, os.environ) == 7


@pytest.mark.parametrize(
    "answer",
    [
        "signal.signal(signal.SIGINT, lambda *_: sys.exit(3))",
        "signal.signal(signal.SIGINT, signal.SIG_IGN)",
    ],
)
def test_a_command_is_stopped_when_the_time_is_up(answer, monkeypatch):
    monkeypatch.setattr(gpu, "_GRACE", 1.0)
    start = time.monotonic()
    command = [sys.executable, "-c", _WAITS.format(answer)]
    assert gpu.run(command, 1.0, os.environ) == 130
    assert time.monotonic() - start < 20


def test_a_command_is_stopped_once_by_ctrl_c(tmp_path):
    file = tmp_path / "seen"
    answer = f"""
def note(*_):
    print("seen", file=open({str(file)!r}, "a"))
    sys.exit(3)
signal.signal(signal.SIGINT, note)
"""
    # As a terminal does, it sends the signal to the whole group of processes.
    code = (
        "import os, signal, sys, threading; from benchmarks.gpu import __main__ as gpu;"
        "signal.signal(signal.SIGINT, signal.default_int_handler);"
        "threading.Timer(2, lambda: os.killpg(0, signal.SIGINT)).start();"
        f"command = [sys.executable, '-c', {_WAITS.format(answer)!r}];"
        "sys.exit(gpu.run(command, 60, None))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(_ROOT), *sys.path])},
        start_new_session=True,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (130, "")
    assert file.read_text() == "seen\n"


@pytest.mark.parametrize(
    ("arguments", "module", "flags"),
    [
        (["--exp", "A"], "run", ["--exp", "A"]),
        (["run", "--exp", "A"], "run", ["--exp", "A"]),
        (["depth", "--preset", "paper"], "depth", ["--preset", "paper"]),
        (["ablation"], "ablation", []),
        ([], "run", []),
    ],
)
def test_the_command_is_a_subcommand_that_trains(arguments, module, flags):
    _, dash_m, name, *given = gpu.suite(arguments)
    assert (dash_m, name) == ("-m", SUBCOMMANDS[module].module)
    assert given == ["--backend=jax", "--jobs=1", *flags]
    assert tuple(row.name for row in GROUPS["Train"]) == gpu.TRAIN


def test_another_subcommand_is_one_line():
    with pytest.raises(SystemExit, match="'report' trains nothing: give run, depth"):
        gpu.suite(["report"])


@pytest.mark.parametrize(
    ("code", "reports"), [(0, False), (1, False), (2, False), (130, True), (-9, True)]
)
def test_the_reports_of_a_suite_that_was_stopped_are_written(
    code, reports, monkeypatch
):
    written = []
    monkeypatch.setattr(gpu, "run", lambda command, *_: code)
    monkeypatch.setattr(
        gpu.subprocess, "run", lambda command, **_: written.append(command)
    )
    monkeypatch.setattr(gpu, "_SECONDS", types.SimpleNamespace(value=1.0))
    monkeypatch.setattr(gpu, "_WHEELS", types.SimpleNamespace(value=None))
    with pytest.raises(SystemExit) as ended:
        gpu.main(["gpu", "depth", "--depths=2"])
    assert ended.value.code == code
    assert written == reports * [[*gpu.suite(["depth", "--depths=2"]), "--notrain"]]


def test_a_folder_without_wheels_is_one_line(tmp_path):
    with pytest.raises(SystemExit, match="has no wheels: see benchmarks/gpu/README"):
        gpu.install(tmp_path, str(tmp_path))


def test_wheels_that_pip_refuses_are_one_line(tmp_path, monkeypatch):
    (tmp_path / "no.whl").touch()
    failed = types.SimpleNamespace(returncode=1)
    monkeypatch.setattr(gpu.subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(SystemExit, match="pip can't install the wheels in"):
        gpu.install(tmp_path, str(tmp_path))


@pytest.mark.slow
def test_it_stops_in_time_and_goes_on_from_what_is_stored(tmp_path):
    path = {"PYTHONPATH": os.pathsep.join([str(_ROOT), *sys.path])}

    def run(seconds):
        return subprocess.run(
            [
                *(sys.executable, "-m", "benchmarks.gpu", f"--seconds={seconds}", "--"),
                *("--exp=A", "--models=SGD,uSF", "--preset=smoke", "--epochs=3"),
                *("--whole_epochs", f"--results_dir={tmp_path}"),
            ],
            env=os.environ | path,
            capture_output=True,
            text=True,
            timeout=500,
            check=False,
        )

    done = run(25)
    stored = {trial["id"]: trial["started"] for trial in Store(tmp_path).trials()}
    # With all trials stored it may be stopped while it writes the report.
    assert done.returncode == 130 or len(stored) == 4
    done = run(400)
    assert done.returncode == 0, done.stderr
    again = {trial["id"]: trial["started"] for trial in Store(tmp_path).trials()}
    assert len(again) == 4
    assert again.items() >= stored.items()
    trials = list(Store(tmp_path).trials())
    assert {trial["machine"]["backend"] for trial in trials} == {"jax"}
    assert all(trial["machine"]["whole_epochs"] for trial in trials)
    assert all(trial["compile_seconds"] is not None for trial in trials)
    assert (tmp_path / "report.md").is_file()
