import collections
import contextlib
import json
import multiprocessing
import os
import pathlib
import signal
import subprocess
import sys
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_asymbp.benchmarks.results import leases as leases_module
from keras_asymbp.benchmarks.results.leases import Leases


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "results" / "leases"


def leases_in(folder):
    """The files of leases, without the locked files of runs."""
    return [path for path in folder.iterdir() if path.suffix != ".lock"]


def age(folder, seconds):
    """Makes all files older by some seconds."""
    for path in folder.iterdir():
        time = path.stat().st_mtime - seconds
        os.utime(path, (time, time))


def test_one_holder(folder):
    with Leases(folder) as one, Leases(folder) as other:
        assert one.take("a")
        assert not one.take("a")
        assert not other.take("a")
        assert other.take("b")


def test_names_with_the_same_start_are_distinct(folder):
    with Leases(folder) as leases:
        assert all(leases.take(name) for name in ("a", "a.1", "a.a", "aa"))


def test_a_name_given_up_is_free(folder):
    with Leases(folder) as one, Leases(folder) as other:
        one.take("a")
        one.give_up("a")
        assert other.take("a")
        assert not one.take("a")
        one.give_up("a")  # no longer held by it
        assert not one.take("a")


def test_the_end_of_a_run_frees_its_names(folder):
    one = Leases(folder)
    with contextlib.suppress(KeyboardInterrupt), one:
        one.take("a")
        raise KeyboardInterrupt
    with Leases(folder) as other:
        assert other.take("a")


def test_finished_work_leaves_nothing(folder):
    with Leases(folder) as one, Leases(folder) as other:
        one.take("a")
        one.give_up("a")
        other.take("a")
        other.finish("a")
        assert leases_in(folder) == []
    assert list(folder.iterdir()) == []


def test_a_name_taken_while_another_run_finishes_it(folder, monkeypatch):
    """The lease taken last is removed, although those before it are gone."""
    first, second, third = (Leases(folder, expiry=1000) for _ in range(3))
    first.take("a")
    first.give_up("a")

    def expired_then_finished(path):
        monkeypatch.undo()
        second.take("a")
        second.finish("a")
        return False

    monkeypatch.setattr(third, "_holds", expired_then_finished)
    assert third.take("a")
    assert [path.name for path in leases_in(folder)] == ["a.2"]
    third.finish("a")
    assert leases_in(folder) == []


def test_a_lease_lasts_while_it_is_renewed(folder):
    with Leases(folder, expiry=100) as one, Leases(folder, expiry=100) as other:
        one.take("a")
        age(folder, 99)
        assert not other.take("a")
        one.renew()
        age(folder, 99)
        assert not other.take("a")


def test_renewal_is_automatic(folder, wait_for):
    with Leases(folder, expiry=0.3) as one, Leases(folder, expiry=100) as other:
        one.take("a")
        (path,) = leases_in(folder)
        age(folder, 99)
        before = path.stat().st_mtime
        wait_for(lambda: path.stat().st_mtime > before + 90)
        assert not other.take("a")


def test_an_expired_lease_goes_to_one_run(folder):
    with Leases(folder, expiry=100) as dead, Leases(folder, expiry=100) as one:
        dead.take("a")
        age(folder, 101)
        with Leases(folder, expiry=100) as other:
            assert one.take("a")
            assert not other.take("a")
            # A slow holder notices that it lost the lease, and does no harm.
            dead.renew()
            dead.give_up("a")
            assert not other.take("a")
            assert not dead.take("a")


def test_time_is_the_file_systems(folder, monkeypatch):
    """Clocks of two machines may differ by hours."""
    monkeypatch.setattr("time.time", lambda: 0.0)
    with Leases(folder, expiry=100) as one, Leases(folder, expiry=100) as other:
        one.take("a")
        assert not other.take("a")
        age(folder, 101)
        assert other.take("a")


HOLDER = """
import sys; sys.argv[0] = "keras-asymbp"
from keras_asymbp.benchmarks.results.leases import Leases
with Leases(sys.argv[1], expiry=float(sys.argv[2])) as leases:
    print(leases.take("a"), flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(folder):
    """A process that holds the lease on "a"."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, folder, "1000"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert process.stdout.readline() == "True\n"
    yield process
    process.kill()
    process.communicate()


def test_a_dead_holder_on_this_machine_loses_its_lease_at_once(holder, folder):
    with Leases(folder, expiry=1000) as leases:
        assert not leases.take("a")
        holder.send_signal(signal.SIGSTOP)
        assert not leases.take("a")
        holder.kill()
        holder.wait()
        assert leases.take("a")


def test_a_dead_holder_elsewhere_keeps_its_lease_until_it_expires(holder, folder):
    holder.kill()
    holder.wait()
    (path,) = leases_in(folder)
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {"boot": "another kernel"}))
    with Leases(folder, expiry=1000) as leases:
        assert not leases.take("a")
        age(folder, 1001)
        assert leases.take("a")


@pytest.mark.parametrize("locks", ["none", "refused"])
def test_without_locks_a_lease_expires(locks, folder, monkeypatch):
    def refuse(*args):
        raise OSError(38, "Function not implemented")

    if locks == "none":
        monkeypatch.setattr(leases_module, "fcntl", None)
    else:
        monkeypatch.setattr(leases_module.fcntl, "flock", refuse)
    with Leases(folder, expiry=100) as one, Leases(folder, expiry=100) as other:
        one.take("a")
        assert not other.take("a")
        age(folder, 101)
        assert other.take("a")


def test_an_empty_lease_file_expires(folder):
    folder.mkdir(parents=True)
    (folder / "a.1").touch()
    with Leases(folder, expiry=100) as leases:
        assert not leases.take("a")
        age(folder, 101)
        assert leases.take("a")


def put(path, kind):
    """Puts something that is no lease in a lease's place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    match kind:
        case "folder":
            path.mkdir()
        case "pipe":
            os.mkfifo(path)
        case "broken link":
            path.symlink_to("nowhere")
        case "link to a lease":
            path.symlink_to(put(path.with_name("z.1"), LEASE))
        case _:
            path.write_bytes(kind if isinstance(kind, bytes) else kind.encode())
    return path.name


LEASE = json.dumps({"boot": None, "host": "h", "process": 1, "run": None})
NO_LEASES = [
    *("folder", "pipe", "broken link", "link to a lease", "[]", "{}", "null", "1"),
    *('"lease"', '{"locked": true}', '{"boot": 5, "host": "h", "process": 1}'),
    LEASE.replace("1", "null"),
    LEASE.replace('"run": null', '"run": "../../results.csv"'),
    LEASE.replace('"run": null', '"run": 5'),
]


@pytest.mark.parametrize("kind", NO_LEASES)
def test_what_is_no_lease_holds_nothing(kind, folder):
    put(folder / "a.1", kind)
    with Leases(folder, expiry=100) as leases, Leases(folder, expiry=100) as other:
        assert leases.take("a")
        assert not other.take("a")
        leases.renew()
        assert leases.held == ("a",)
        leases.finish("a")
        assert other.take("a")


@pytest.mark.parametrize("content", [LEASE, LEASE[:20], "", "[" * 5000, b"\xff\x00"])
def test_a_lease_that_may_be_held_expires(content, folder):
    put(folder / "a.1", content)
    with Leases(folder, expiry=100) as leases:
        assert not leases.take("a")
        age(folder, 101)
        assert leases.take("a")


@pytest.mark.parametrize("name", ["a.0", "a.01", "a.-1", "a.\u0663", "a." + "9" * 200])
def test_what_has_no_leases_name_is_ignored(name, folder):
    put(folder / name, LEASE)
    with Leases(folder) as leases:
        assert leases.take("a")
        leases.finish("a")
    assert [path.name for path in folder.iterdir()] == [name]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_lease_that_cannot_be_read_expires(folder):
    put(folder / "a.1", LEASE)
    (folder / "a.1").chmod(0)
    with Leases(folder, expiry=100) as leases:
        assert not leases.take("a")
        age(folder, 101)
        assert leases.take("a")


def test_a_lease_from_the_future_expires(folder, monkeypatch):
    """The file system's clock was set back."""
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    with Leases(folder, expiry=100) as dead, Leases(folder, expiry=100) as leases:
        dead.take("a")
        age(folder, -1e6)
        assert not leases.take("a")
        now[0] = 99.0
        assert not leases.take("a")
        dead.renew()  # by the clock that is right now
        assert not leases.take("a")
        age(folder, -1e6)
        now[0] = 198.0
        assert not leases.take("a")
        now[0] = 299.0
        assert leases.take("a")


def test_many_leases_take_few_open_files(folder):
    names = [f"{number:04}" for number in range(1100)]
    with Leases(folder) as leases:
        before = len(os.listdir("/proc/self/fd"))
        assert all(map(leases.take, names))
        assert len(os.listdir("/proc/self/fd")) <= before + 2
        leases.renew()
        assert leases.held == tuple(names)


def test_a_run_that_ends_leaves_nothing(folder):
    with Leases(folder) as leases:
        leases.take("a")
        assert len(list(folder.iterdir())) == 2
        leases.finish("a")
    assert list(folder.iterdir()) == []


def test_the_file_of_a_dead_run_is_removed(holder, folder):
    holder.kill()
    holder.wait()
    with Leases(folder) as leases:
        assert leases.take("a")
        leases.finish("a")
    assert list(folder.iterdir()) == []


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").touch()
    with Leases(tmp_path / "file") as leases, pytest.raises(OSError, match="file"):
        leases.take("a")


STEPS = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.sampled_from(["take", "give_up", "finish", "renew", "expire"]),
        st.sampled_from("ab"),
    ),
    max_size=25,
)


@given(steps=STEPS)
def test_never_two_holders(steps, tmp_path_factory):
    """Against a model: the last taker of each name, until it is given up or expires."""
    folder = tmp_path_factory.mktemp("leases")
    runs = [Leases(folder, expiry=1000) for _ in range(3)]
    holders: dict[str, int] = {}
    for number, step, name in steps:
        match step:
            case "take":
                assert runs[number].take(name) == (name not in holders)
                holders.setdefault(name, number)
            case "expire":
                age(folder, 1001) if folder.exists() else None
                holders.clear()
            case "renew":
                # An expired lease that nobody took is renewed by its holder.
                runs[number].renew()
                holders |= dict.fromkeys(runs[number].held, number)
            case _:
                if holders.get(name) == number:
                    getattr(runs[number], step)(name)
                    del holders[name]
    for run in runs:
        for name in run.held:
            run.give_up(name)


def take_at_once(folder, names, barrier, results):
    """Tries to take each name at the same time as other processes."""
    taken = []
    with Leases(folder, expiry=1000) as leases:
        for name in names:
            barrier.wait()
            if leases.take(name):
                taken.append(name)
        results.put(taken)
        barrier.wait()


@pytest.mark.parametrize("before", ["nothing", "given up", "expired"])
def test_one_of_several_simultaneous_tries_succeeds(before, folder, light):
    import test_leases as this

    names = [f"{number:03}" for number in range(300)]
    if before != "nothing":
        leases = Leases(folder, expiry=1000)
        for name in names:
            leases.take(name)
        if before == "given up":
            for name in names:
                leases.give_up(name)
        else:  # its run on another machine has vanished
            for path in folder.glob("???.1"):
                content = json.loads(path.read_text())
                path.write_text(json.dumps(content | {"boot": "another"}))
            age(folder, 1001)
    barrier, results = light.Barrier(4), light.Queue()
    processes = [
        light.Process(target=this.take_at_once, args=(folder, names, barrier, results))
        for _ in range(4)
    ]
    for process in processes:
        process.start()
    taken = [name for _ in processes for name in results.get(timeout=120)]
    for process in processes:
        process.join(120)
    assert sorted(taken) == names


def race(folder, names, start, results, deaths):
    """Works on all names along with other processes, and dies at one of `deaths`."""
    taken, died = [], False
    start.wait()
    with Leases(folder, expiry=1000) as leases:
        todo = list(names)
        while todo and not died:
            for name in list(todo):
                done = pathlib.Path(folder).with_name(f"done-{name}")
                if leases.take(name):
                    if done.exists():
                        leases.finish(name)
                    elif name in deaths:
                        deaths = ()
                        taken.append(name)
                        died = True
                        break
                    else:
                        taken.append(name)
                        # Fails if another process has done it.
                        done.open("x").close()
                        leases.finish(name)
                if done.exists():
                    todo.remove(name)
        if died:
            results.put((taken, True))
            results.close()
            results.join_thread()
            os.kill(os.getpid(), signal.SIGKILL)
    results.put((taken, False))


@pytest.fixture
def light(monkeypatch):
    """A context whose processes do not import TensorFlow."""
    monkeypatch.setattr(sys, "argv", ["keras-asymbp"])
    monkeypatch.syspath_prepend(os.path.dirname(__file__))
    return multiprocessing.get_context("spawn")


def test_processes_that_race_and_die(folder, light):
    """Each name is done once, although two of the five processes die holding one."""
    import test_leases as this

    names = [f"{number:02}" for number in range(40)]
    start, results = light.Event(), light.Queue()
    processes = [
        light.Process(
            target=this.race,
            args=(folder, names, start, results, ("07",) if number < 2 else ()),
        )
        for number in range(5)
    ]
    for process in processes:
        process.start()
    start.set()
    outcomes = [results.get(timeout=120) for _ in processes]
    for process in processes:
        process.join(120)
    died = [taken[-1] for taken, died in outcomes if died]
    finished = collections.Counter(
        name for taken, died in outcomes for name in (taken[:-1] if died else taken)
    )
    assert set(died) <= {"07"}
    assert sorted(finished) == names
    assert set(finished.values()) == {1}
    assert leases_in(folder) == []


def test_threads_of_one_run(folder):
    """Renewal in the background does not disturb the taking of leases."""
    with Leases(folder, expiry=0.06) as leases:
        for number in range(200):
            assert leases.take(str(number))
            threading.Event().wait(0.001)
            leases.finish(str(number))
    assert list(folder.iterdir()) == []
