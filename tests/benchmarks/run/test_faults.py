"""Real faults of the command, such as kills and full disks; training is a stand-in."""

import ctypes
import json
import os
import signal
import subprocess

import psutil
import pytest

from keras_asymbp.benchmarks.counting import counted
from keras_asymbp.benchmarks.results.store import Store

FLAGS = ("--models=SGD,RndF", "--seeds=0,1", "--jobs=2")  # 4 cells of 2 trials each


@pytest.fixture
def trials(tmp_path):
    """The stored trials: (model, seed, rate) and the bytes of the file."""

    def trials(folder=None):
        paths = ((folder or tmp_path / "results") / "trials").glob("*.json")
        texts = [path.read_bytes() for path in paths]
        keys = [
            (t["model"], t["settings"]["seed"], t["settings"]["learning_rate"])
            for t in map(json.loads, texts)
        ]
        assert len(set(keys)) == len(keys)
        return dict(zip(keys, texts, strict=True))

    return trials


@pytest.fixture
def complete(stand_in, trials, tmp_path):
    """Runs the command again, which runs the missing trials and no others."""

    def complete(flags=FLAGS, folder=None):
        before = trials(folder)
        more = [f"--results_dir={folder}"] if folder else []
        done = stand_in(*flags, *more)
        assert done.returncode == 0, done.stderr
        after = trials(folder)
        assert before.items() <= after.items()
        assert len(after) == 8
        run = counted(8 - len(before), "trial")
        found = f"{run} run, {len(before)} found stored"
        assert found in done.stdout
        assert "failed" not in done.stdout
        # The faults have changed no result.
        for (_, seed, rate), text in after.items():
            assert json.loads(text)["result"]["best_error"] == (seed + 1) * rate
        return done

    return complete


def runs(notes):
    """Number of times that each trial was begun."""
    counts = {}
    for note in notes:
        key = note["model"], note["seed"], note["rate"]
        counts[key] = counts.get(key, 0) + 1
    return counts


def alive(processes):
    """The processes that have not ended."""
    return psutil.wait_procs(processes, timeout=0)[1]


def test_a_worker_killed_in_a_trial_costs_that_trial(stand_in, trials, notes):
    fault = {"seed": 1, "rate": 5e-4, "kind": "kill", "times": 1}
    done = stand_in(*FLAGS, faults=[fault])
    assert done.returncode == 0, done.stderr
    assert "failed, trying again" in done.stdout
    assert "worker killed by SIGKILL" in done.stdout
    assert done.stdout.startswith("running 8 of 8 trials in 2 processes\n")
    assert len(trials()) == 8
    # The first trial of that cell was finished, and is not run again.
    assert sorted(runs(notes()).values()) == [1] * 7 + [2]


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("kill", "worker killed by SIGKILL"),
        ("memory", "out of memory: MemoryError"),
    ],
)
def test_a_worker_that_always_dies_is_a_failure(kind, reason, stand_in, trials, notes):
    fault = {"seed": 1, "kind": kind}
    done = stand_in("--models=SGD", *FLAGS[1:], "--retries=1", faults=[fault])
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert len(trials()) == 2
    assert max(runs(notes()).values()) == 2
    assert f"| failed: {reason}" in done.stdout
    assert f"failed: mnist_5k, SGD, seed 1: {reason}" in done.stderr


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_libraries_write_is_in_a_log(jobs, stand_in, tmp_path):
    done = stand_in("--models=SGD", f"--jobs={jobs}", faults=[{"kind": "noise"}])
    assert done.returncode == 0
    assert "noise" not in done.stdout + done.stderr
    (log,) = (tmp_path / "results" / "logs").iterdir()
    assert log.read_text() == "noise of C++\nnoise of Python\n" * 2


def test_the_log_of_a_worker_that_dies_is_shown(stand_in):
    faults = [{"kind": "noise"}, {"kind": "kill", "rate": 5e-4, "times": 1}]
    done = stand_in("--models=SGD", "--jobs=2", faults=faults)
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    heading = next(n for n, line in enumerate(lines) if line.startswith("last lines"))
    assert lines[heading + 1 : heading + 3] == [" noise of C++", " noise of Python"]


def test_a_closed_pipe_ends_no_trial(start_stand_in, trials):
    process = start_stand_in(*FLAGS, seconds=0.1)
    process.stdout.close()
    assert process.wait(60) == 141
    assert process.stderr.read() == ""
    assert len(trials()) == 8


def test_files_have_the_permissions_of_the_umask(stand_in, tmp_path):
    before = os.umask(0o077)
    try:
        assert stand_in("--models=SGD").returncode == 0
    finally:
        os.umask(before)
    files = [path for path in (tmp_path / "results").rglob("*") if path.is_file()]
    assert len(files) > 4
    assert not any(path.stat().st_mode & 0o077 for path in files)


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_cell_that_always_fails_is_named(
    jobs, stand_in, trials, complete, tmp_path, notes
):
    reason = "RuntimeError: out of | something"
    flags = (*FLAGS[:2], f"--jobs={jobs}", "--retries=1")
    fault = {"seed": 1, "rate": 5e-4, "kind": "error"}
    done = stand_in(*flags, faults=[fault])
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert len(trials()) == 6
    assert runs(notes())["SGD", 1, 5e-4] == 2
    # The table has the reason in place of a figure, with its pipe escaped.
    escaped = reason.replace("|", "&#124;")
    (row,) = [x for x in done.stdout.splitlines() if x.startswith("| mnist_5k |")]
    assert row.count(f"failed: {escaped}") == 2
    assert not any(figure in row for figure in ("0.05", "0.50", "0.10"))
    lines = done.stderr.splitlines()
    assert lines[-3].startswith(f"failed: mnist_5k, SGD, seed 1: {reason}")
    assert lines[-2].startswith(f"failed: mnist_5k, RndF, seed 1: {reason}")
    assert lines[-1] == "run the same command again to retry"
    for name in ("report.md", "report.html"):
        text = (tmp_path / "results" / name).read_text()
        assert "What failed" in text
        assert f"seed 1: {escaped if name.endswith('md') else reason}" in text
    complete(flags)
    assert "What failed" not in (tmp_path / "results" / "report.html").read_text()


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize(
    ("kind", "line"),
    [
        ("refuse", "error: not like this"),
        ("missing", "error: no_such_package is not installed"),
    ],
)
def test_a_bad_request_ends_the_run(jobs, kind, line, stand_in, trials):
    fault = {"seed": 1, "kind": kind}
    done = stand_in(*FLAGS[:2], f"--jobs={jobs}", faults=[fault])
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith(line)
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("jobs", [1, 2])
def test_the_driver_killed_and_started_again(
    jobs, start_stand_in, wait_for, trials, complete, notes
):
    flags = (*FLAGS[:2], f"--jobs={jobs}")
    process = start_stand_in(*flags, faults=[{"seed": 1, "kind": "hold"}])
    # All processes are in the middle of a trial.
    wait_for(lambda: len({n["model"] for n in notes() if n["seed"]}) == jobs)
    workers = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.communicate(timeout=20)  # an orphan would keep the pipes open
    assert len(trials()) < 8
    if workers:
        wait_for(lambda: not alive(workers), seconds=10)  # no orphans
    complete(flags)


@pytest.mark.parametrize("to", ["driver", "all"])
def test_ctrl_c_ends_all_processes(
    to, start_stand_in, wait_for, trials, complete, notes
):
    """A terminal sends SIGINT to all processes; `kill -INT` only to the driver."""
    process = start_stand_in(*FLAGS, faults=[{"seed": 1, "kind": "hold"}])
    wait_for(lambda: len({note["model"] for note in notes() if note["seed"]}) == 2)
    workers = psutil.Process(process.pid).children(recursive=True)
    assert len(workers) >= 2
    if to == "all":
        os.killpg(process.pid, signal.SIGINT)
    else:
        process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=15)
    assert process.returncode == 130
    assert stderr.splitlines() == [
        "stopped; finished trials are kept, the same command continues from there"
    ]
    wait_for(lambda: not alive(workers), seconds=5)
    assert len(trials()) == 4
    if to == "all":
        complete()


def test_the_trial_of_a_truncated_file_is_repeated(
    stand_in, complete, trials, tmp_path
):
    stand_in(*FLAGS[:2])
    path = min((tmp_path / "results" / "trials").iterdir())
    text = path.read_text()
    path.write_text(text[: len(text) // 2])
    done = stand_in(*FLAGS[:2])
    assert done.returncode == 0
    assert f"warning: {path} is no JSON: half-written" in done.stderr
    assert "1 trial run, 7 found stored" in done.stdout
    assert path.read_text() == text[: len(text) // 2]
    assert len(Store(tmp_path / "results").trials()) == 8


@pytest.fixture
def mounted(tmp_path):
    """A small file system, and a function that makes it read-only or writable."""
    if os.geteuid():
        pytest.skip("only root may mount")
    libc = ctypes.CDLL(None, use_errno=True)
    folder = tmp_path / "mounted"
    folder.mkdir()

    def mount(source, flags, data=None):
        if libc.mount(source, bytes(folder), b"tmpfs", flags, data):
            return os.strerror(ctypes.get_errno())

    def read_only(wanted):
        # Mounted over itself: a file system with open files can't become read-only.
        if wanted:
            assert mount(bytes(folder), bind) is None
            assert mount(None, remount | bind | 1) is None
        else:
            libc.umount2(bytes(folder), detach)

    remount, bind, detach = 32, 4096, 2
    if reason := mount(b"tmpfs", 0, b"size=4m"):
        pytest.skip(f"no tmpfs: {reason}")
    yield folder, read_only
    while os.path.ismount(folder):
        libc.umount2(bytes(folder), detach)


@pytest.mark.parametrize("by", ["driver", "workers"])
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_full_disk(jobs, by, mounted, stand_in, trials, complete, tmp_path):
    folder, _ = mounted
    # Leaves room for two trials and their leases.
    ballast = folder / "ballast"
    free = os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize
    ballast.write_bytes(bytes(free - 6 * 4096))
    flags = (*FLAGS[:2], f"--jobs={jobs}", f"--results_by={by}")
    done = stand_in(*flags, f"--results_dir={folder}")
    assert done.returncode == 1, done.stderr
    assert 1 <= len(trials(folder)) < 8
    assert "No space left on device" in done.stderr
    assert "warning: can't write the report" in done.stderr
    assert "Traceback" not in done.stderr
    (row,) = [x for x in done.stdout.splitlines() if x.startswith("| mnist_5k |")]
    assert "(No space left on device): finished trials are kept" in row
    if by == "driver":
        ballast.unlink()
        complete(flags, folder)


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_folder_that_becomes_read_only(
    jobs, mounted, start_stand_in, trials, wait_for
):
    folder, read_only = mounted
    flags = (*FLAGS[:2], f"--jobs={jobs}")
    process = start_stand_in(*flags, f"--results_dir={folder}", seconds=0.5)
    wait_for(lambda: len(trials(folder)) >= 2)
    read_only(True)
    before = trials(folder)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 1, stderr
    assert "Traceback" not in stderr
    assert "Read-only file system" in stderr
    (row,) = [x for x in stdout.splitlines() if x.startswith("| mnist_5k |")]
    assert "failed: can't" in row
    assert "(Read-only file system): finished trials are kept" in row
    assert trials(folder) == before


def test_a_read_only_folder_is_shown(mounted, stand_in, trials):
    folder, read_only = mounted
    flags = (*FLAGS[:2], f"--results_dir={folder}")
    assert stand_in(*flags).returncode == 0
    read_only(True)
    before = trials(folder)
    claims = stand_in("--claims", f"--results_dir={folder}")
    assert claims.returncode == 0
    assert "warning: can't write the report" in claims.stderr
    more = stand_in(*flags, "--seeds=2")
    assert more.returncode == 2
    assert "can't write to the results folder" in more.stderr
    assert trials(folder) == before
    done = stand_in(*flags)
    assert done.returncode == 0
    assert "0 trials run, 8 found stored; no report" in done.stdout
    assert "| mnist_5k | 0.08 ±0.04 |" in done.stdout


# Two runs on one folder.


def test_two_runs_share_the_work(start_stand_in, trials, notes):
    flags = ("--models=SGD,RndF", "--seeds=0,1,2,3", "--jobs=2")
    both = [start_stand_in(*flags, seconds=0.1) for _ in range(2)]
    outputs = [process.communicate(timeout=120) for process in both]
    assert [process.returncode for process in both] == [0, 0], outputs
    assert len(trials()) == 16
    assert set(runs(notes()).values()) == {1}
    tables = [
        [line for line in stdout.splitlines() if line.startswith("|")]
        for stdout, _ in outputs
    ]
    assert tables[0] == tables[1]
    done = [
        int(line.split()[0])
        for stdout, _ in outputs
        for line in stdout.splitlines()
        if " run, " in line
    ]
    assert sum(done) == 16
    assert min(done) > 0


def test_a_run_waits_for_another_and_takes_over_when_it_dies(
    start_stand_in, wait_for, trials, notes
):
    hold = [{"seed": 1, "kind": "hold", "times": 1}]
    first = start_stand_in("--models=SGD", "--seeds=1", faults=hold)
    wait_for(notes)
    second = start_stand_in("--models=SGD", "--seeds=0,1")
    wait_for(lambda: len(trials()) == 2)  # it runs other trials meanwhile
    with pytest.raises(subprocess.TimeoutExpired):
        second.wait(2)
    assert len(trials()) == 2
    first.kill()
    first.communicate()
    stdout, stderr = second.communicate(timeout=30)
    assert second.returncode == 0, stderr
    assert "waiting for 1 cell of another run" in stdout
    assert "4 trials run, 0 found stored" in stdout
    assert len(trials()) == 4


@pytest.mark.slow
def test_runs_that_are_killed_at_random(start_stand_in, wait_for, trials, complete):
    """Two runs at a time, killed three times: no trial is doubled, corrupt or lost."""
    flags = ("--models=SGD,RndF", "--seeds=0,1", "--jobs=2")
    seen = {}
    for number in range(3):
        both = [start_stand_in(*flags, seconds=0.2) for _ in range(2)]
        count = min(len(seen) + 2, 8)
        wait_for(lambda count=count: len(trials()) >= count)
        for process in both:
            process.kill()
            process.communicate()
        now = trials()
        assert seen.items() <= now.items(), number
        seen = now
    complete(flags)
