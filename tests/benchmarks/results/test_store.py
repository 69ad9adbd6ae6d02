import errno
import hashlib
import json
import math
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_asymbp.benchmarks import datasets
from keras_asymbp.benchmarks.errors import UsageError
from keras_asymbp.benchmarks.results import store as store_module
from keras_asymbp.benchmarks.results.atomic import write_atomically
from keras_asymbp.benchmarks.results.store import Store, trial_id
from keras_asymbp.benchmarks.tables.cells import Cell
from keras_asymbp.benchmarks.tables.experiments import Column
from keras_asymbp.benchmarks.tables.protocol import PRESETS

CELL = Cell(datasets.get("mnist_5k"), "1", Column("SGD"), PRESETS["smoke"], seed=0)
SETTINGS = CELL.settings(CELL.trials()[0])


def trial_of(error=0.25, **settings):
    """A record as it is stored."""
    row = {"epoch": 1, "learning_rate": 5e-3, "train_loss": 1.0, "train_error": 0.5}
    row |= {"test_loss": 1.0, "test_error": error}
    return {
        "settings": SETTINGS | settings,
        "model": "SGD",
        "result": {
            **{"best_error": error, "best_epoch": 1, "diverged": False},
            "curves": [row],
        },
        "started": "2026-01-02T03:04:05+00:00",
        "seconds": 1.25,
        "command": "python -m keras_asymbp.benchmarks",
        "versions": {"keras": "3"},
        "machine": {"system": "S", "processor": "P", "cores": 2},
    }


TRIAL = trial_of()

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda values: st.lists(values) | st.dictionaries(st.text(), values),
    max_leaves=10,
)


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "results")


def reopened(store):
    return Store(store.folder)


def file_of(store, trial):
    return store.folder / trial["file"]


@given(
    seed=st.integers(0, 2**32 - 1),
    error=st.floats(0, 1),
    command=st.text(),
    note=json_values,
)
def test_a_stored_trial_is_read_back(seed, error, command, note):
    trial = trial_of(error, seed=seed) | {"command": command, "note": note}
    with tempfile.TemporaryDirectory() as folder:
        put = Store(folder).put("label", trial)
        again = Store(folder)
        assert again.problems == []
        assert again.get(trial["settings"]) == put
        assert {name: put[name] for name in trial} == trial


@given(a=json_values, b=json_values)
def test_different_settings_have_different_ids(a, b):
    same = json.dumps(a, sort_keys=True) == json.dumps(b, sort_keys=True)
    assert (trial_id({"x": a}) == trial_id({"x": b})) == same


def test_the_order_of_settings_does_not_change_the_id():
    assert trial_id({"a": 1, "b": 2}) == trial_id({"b": 2, "a": 1})


def test_a_new_store_is_empty(store):
    assert store.get(SETTINGS) is None
    assert store.problems == []
    assert (store.folder / "trials").is_dir()


def test_a_trial_is_one_readable_file_of_json(store):
    trial = store.put("mnist_5k-RndF+BN+BM Bottom/../x", TRIAL)
    (path,) = (store.folder / "trials").iterdir()
    assert path.name.startswith("mnist_5k-RndF+BN+BM_Bottom_.._x-")
    assert path.name.endswith(f"-{trial_id(SETTINGS)}.json")
    assert trial["file"] == f"trials/{path.name}"
    on_disk = json.loads(path.read_text())
    assert on_disk == {key: trial[key] for key in trial if key != "file"}
    assert on_disk["settings"] == SETTINGS
    assert on_disk["schema"] == "keras_asymbp.trial/1"
    assert path.stat().st_mode & 0o777 == 0o644


def test_a_trial_is_found_by_its_content(store):
    trial = store.put("label", TRIAL)
    moved = store.folder / "trials" / "elsewhere" / "any name.txt"
    moved.parent.mkdir()
    file_of(store, trial).rename(moved)
    again = reopened(store)
    assert again.problems == []
    assert again.get(SETTINGS)["file"] == "trials/elsewhere/any name.txt"


def changed(text, **changes):
    return json.dumps(json.loads(text) | changes)


def forged(text, **changes):
    """A file's text with changes and the correct digest."""
    return signed(json.loads(text) | changes)


BROKEN = {
    "empty": lambda text: "",
    "half-written": lambda text: text[: len(text) // 2],
    "binary": lambda text: b"\x00\xff\xfe",
    "foreign text": lambda text: "some notes of mine",
    "foreign list": lambda text: "[1, 2]",
    "foreign object": lambda text: '{"a": 1}',
    "nested without end": lambda text: "[" * 200_000,
    "no schema": lambda text: changed(text).replace('"schema"', '"scheme"'),
    "older schema": lambda text: changed(text, schema="keras_asymbp.trial/0"),
    "newer schema": lambda text: changed(text, schema="keras_asymbp.trial/2"),
    "foreign schema": lambda text: changed(text, schema="other.trial/1"),
    "odd schema": lambda text: changed(text, schema=[None]),
    "other settings": lambda text: changed(text, settings=SETTINGS | {"seed": 1}),
    "other error": lambda text: text.replace("0.25", "0.24"),
    "no error": lambda text: changed(text, result={}),
    "error is NaN": lambda text: text.replace("0.25", "NaN"),
    "setting is NaN": lambda text: text.replace("0.9", "NaN"),
    "setting is infinite": lambda text: text.replace("0.9", "1e999"),
    "other id": lambda text: changed(text, id="0" * 16),
    "no settings": lambda text: changed(text, settings=None),
    "forged: other seed": lambda text: forged(text, settings=SETTINGS | {"seed": 99}),
    "forged: no settings": lambda text: forged(text, settings=None),
    "forged: no model": lambda text: forged(text, model=None),
    "forged: no id": lambda text: forged(text, id=None),
    "forged: error": lambda text: forged(text, result={"best_error": -1}),
    "forged: NaN": lambda text: forged(text, seconds=math.nan),
    "forged: NaN in a new field": lambda text: forged(text, new=[math.inf]),
    "forged: a long number": lambda text: forged(text).replace("1.25", "9" * 5000),
    "forged: schema": lambda text: forged(text, schema=nested(900)),
    "forged: nested": lambda text: forged(text, command=nested(900)),
}


def nested(depth):
    return [nested(depth - 1)] if depth else []


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_file_is_reported_and_kept(kind, store, contents):
    path = file_of(store, store.put("label", TRIAL))
    broken = BROKEN[kind](path.read_text())
    path.write_bytes(broken if isinstance(broken, bytes) else broken.encode())
    before = contents(store.folder)

    again = reopened(store)
    assert again.get(SETTINGS) is None
    (problem,) = again.problems
    assert problem.startswith(f"{path} ")
    assert problem.endswith("; left alone")
    assert "\n" not in problem

    # The trial is repeated, and stored beside the broken file of the same name.
    trial = again.put("label", TRIAL)
    after = contents(store.folder)
    assert trial["file"] in after
    assert {name: after[name] for name in before} == before
    assert len(after) == len(before) + 1
    assert reopened(store).get(SETTINGS) == trial


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("half-written", "half-written"),
        ("foreign object", "no result of this program"),
        ("no schema", "changed"),
        ("older schema", "'keras_asymbp.trial/0', which no version"),
        ("newer schema", "'keras_asymbp.trial/2', and this version reads up to 1: upd"),
        ("newer schema", "update keras-asymbp"),
        ("foreign schema", "'other.trial/1', which no version"),
        ("other error", "changed"),
        ("forged: other seed", "has an id that is not that of its settings"),
        ("forged: no model", "is no trial that was run: model is None, expected text"),
        ("forged: NaN", "is no JSON"),
    ],
)
def test_a_problem_gives_the_reason(kind, reason, store):
    path = file_of(store, store.put("label", TRIAL))
    path.write_text(BROKEN[kind](path.read_text()))
    assert reason in reopened(store).problems[0]


def test_an_unreadable_file_is_reported(store):
    path = file_of(store, store.put("label", TRIAL))
    path.unlink()
    path.symlink_to(path.name)  # to itself
    (problem,) = reopened(store).problems
    words = os.strerror(errno.ELOOP)
    assert problem == f"{path} can't be read ({words}); left alone"


def test_problems_hide_no_other_trial(store):
    trial = store.put("label", TRIAL)
    for name in ("a.json", "zzz.json", ".abc.tmp"):
        (store.folder / "trials" / name).write_text("{")
    os.utime(store.folder / "trials" / ".abc.tmp", (0, 0))  # of a write that was cut
    again = reopened(store)
    assert len(again.problems) == 3
    assert again.get(SETTINGS) == trial


def test_a_folder_is_no_problem(store):
    trials = store.folder / "trials"
    (trials / "folder").mkdir()
    assert reopened(store).problems == []


def test_what_is_no_file_is_reported(store):
    trial = store.put("label", TRIAL)
    trials = store.folder / "trials"
    os.mkfifo(trials / "pipe.json")
    (trials / "device.json").symlink_to("/dev/zero")
    (trials / "link.json").symlink_to("nowhere")
    (trials / "around").symlink_to(trials)
    (trials / "huge.json").write_bytes(b" " * (store_module._LARGEST + 1))
    again = reopened(store)
    assert again.trials() == [trial]
    found = {p.split()[0].rpartition("/")[2]: p for p in again.problems}
    assert "is a link to a file that is missing" in found.pop("link.json")
    assert sorted(found) == ["around", "device.json", "huge.json", "pipe.json"]
    assert all("no regular file" in problem for problem in found.values())


def test_a_name_is_printed_without_control_characters(store):
    name = b"\x1b[2J\n\xff.json"
    with open(os.path.join(os.fsencode(store.folder), b"trials", name), "w") as file:
        file.write("{")
    (problem,) = reopened(store).problems
    assert problem.isprintable()
    assert r"\x1b[2J\n\udcff.json is no JSON" in problem


def test_folders_without_end(store):
    """Deeper than Python's recursion and the longest path."""
    trial = store.put("label", TRIAL)
    inside = os.open(store.folder / "trials", os.O_RDONLY)
    for _ in range(1500):
        os.mkdir("deep", dir_fd=inside)
        outside, inside = inside, os.open("deep", os.O_RDONLY, dir_fd=inside)
        os.close(outside)
    os.close(inside)
    again = reopened(store)
    assert again.trials() == [trial]
    (problem,) = again.problems
    assert os.strerror(errno.ENAMETOOLONG) in problem
    again.refresh()
    assert again.problems == [problem]
    subprocess.run(["rm", "-r", store.folder / "trials"], check=True)


@pytest.mark.parametrize("age", [-1e6, 0, 1e6])
def test_a_temporary_file_is_no_result(age, store):
    """However complete or old it is: its writer renames it in the end."""
    path = file_of(store, store.put("label", TRIAL))
    temporary = path.with_name(".abc.tmp")
    path.rename(temporary)
    then = time.time() - age
    os.utime(temporary, (then, then))
    again = reopened(store)
    assert again.trials() == []
    reason = "is left over from a write that was cut short; left alone"
    assert again.problems == ([f"{temporary} {reason}"] if age > 0 else [])
    again.refresh()
    assert len(again.problems) == (age > 0)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_without_permission_is_reported(store):
    path = file_of(store, store.put("label", TRIAL))
    path.chmod(0)
    assert "Permission denied" in reopened(store).problems[0]


def unwritable(kind, folder):
    match kind:
        case "a file":
            (folder / "results").write_text("mine")
        case "below a file":
            (folder / "results").write_text("mine")
            return folder / "results" / "deeper"
        case "trials is a file":
            (folder / "results").mkdir()
            (folder / "results" / "trials").write_text("mine")
        case "read-only":
            if os.geteuid() == 0:
                pytest.skip("root may write everywhere")
            (folder / "results").mkdir(mode=0o555)
    return folder / "results"


@pytest.mark.parametrize(
    "kind", ["a file", "below a file", "trials is a file", "read-only"]
)
def test_unwritable_folder(kind, tmp_path, contents):
    folder = unwritable(kind, tmp_path)
    before = contents(tmp_path)
    with pytest.raises(UsageError, match=r"can't write .*--results_dir") as e:
        Store(folder)
    assert str(folder) in str(e.value)
    assert contents(tmp_path) == before


def test_a_folder_that_became_unwritable(store, monkeypatch):
    def refuse(*args, **kwargs):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    trial = store.put("label", TRIAL)
    again = reopened(store)
    assert again.get(SETTINGS) == trial  # it can be looked at
    with pytest.raises(UsageError, match="Read-only file system"):
        again.require_writable()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("place", ["settings", "result"])
def test_numbers_that_json_lacks_are_refused(value, place, store, contents):
    with pytest.raises(ValueError, match="not JSON compliant"):
        store.put("label", TRIAL | {place: {"x": value}})
    assert contents(store.folder) == {}
    assert store.get(SETTINGS) is None


@pytest.mark.parametrize("label", [100 * "日", 300 * "x", "\udcff", "..", ""])
def test_any_label_is_stored(label, store):
    trial = store.put(label, TRIAL)
    assert file_of(store, trial).is_file()
    assert reopened(store).get(SETTINGS) == trial


@pytest.mark.parametrize("function", ["link", "fsync", "open"])
def test_a_full_disk_loses_nothing(function, store, contents, monkeypatch):
    store.put("label", TRIAL)
    before = contents(store.folder)

    def fail(*args, **kwargs):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, function, fail)
        with pytest.raises(UsageError, match=r"No space left .*kept"):
            store.put("label", trial_of(seed=1))
    assert contents(store.folder) == before
    assert store.get(trial_of(seed=1)["settings"]) is None
    assert store.put("label", trial_of(seed=1))
    assert reopened(store).get(SETTINGS)


def test_an_interrupt_leaves_no_partial_file(store, contents, monkeypatch):
    def interrupt(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        store.put("label", TRIAL)
    assert contents(store.folder) == {}


def test_a_file_is_complete_before_it_is_renamed(tmp_path, monkeypatch):
    path = tmp_path / "report.md"
    path.write_text("old")
    synced, seen = [], []
    replace, fsync = os.replace, os.fsync

    def watched_replace(source, target):
        seen.append((pathlib.Path(source).read_text(), path.read_text(), len(synced)))
        replace(source, target)

    monkeypatch.setattr(os, "fsync", lambda file: (synced.append(file), fsync(file)))
    monkeypatch.setattr(os, "replace", watched_replace)
    write_atomically(path, "new é")
    assert seen == [("new é", "old", 1)]
    assert path.read_text(encoding="utf-8") == "new é"
    assert list(tmp_path.iterdir()) == [path]


# Versions of the format.


def signed(trial):
    """A file's text with its correct digest."""
    trial = {key: value for key, value in trial.items() if key != "digest"}
    digest = hashlib.sha256(json.dumps(trial, sort_keys=True).encode()).hexdigest()
    return json.dumps(trial | {"digest": digest})


def test_a_file_without_a_schema_is_in_version_1(store):
    path = file_of(store, store.put("label", TRIAL))
    written = json.loads(path.read_text())
    del written["schema"]
    path.write_text(signed(written))
    again = reopened(store)
    assert again.problems == []
    assert again.get(SETTINGS)["result"] == TRIAL["result"]


def upgraded(trial):
    """An imaginary version 2, with another name of the model and of a setting."""
    settings = trial["settings"] | {"kernel_initializer": "he"}
    return trial | {"settings": settings, "model": "BP"}


def test_older_results_are_upgraded_when_read(store, contents, monkeypatch):
    old = store.put("label", TRIAL)
    before = contents(store.folder)
    monkeypatch.setattr(store_module, "UPGRADES", (upgraded,))
    again = reopened(store)
    assert again.problems == []
    new = upgraded(TRIAL)
    found = again.get(new["settings"])
    assert found["model"] == "BP"
    assert found["file"] == old["file"]
    assert again.get(SETTINGS) is None
    # It is not stored again, and the old file is unchanged.
    assert again.put("label", new) == found
    assert contents(store.folder) == before
    # New results have the current version and are not upgraded.
    put = again.put("label", trial_of(seed=1))
    assert put["schema"] == "keras_asymbp.trial/2"
    assert reopened(again).get(put["settings"]) == put
    # The older version of the package reports it.
    monkeypatch.undo()
    (problem,) = reopened(store).problems
    assert str(file_of(store, put)) in problem
    assert "update keras-asymbp" in problem


RECORDED = pathlib.Path(__file__).parents[3] / "benchmarks" / "results"


@pytest.mark.parametrize("folder", sorted(p.name for p in RECORDED.glob("quick-*")))
def test_recorded_results_are_read(folder, contents, tmp_path):
    shutil.copytree(RECORDED / folder / "trials", tmp_path / "trials")
    before = contents(tmp_path)
    store = Store(tmp_path)
    assert store.problems == []
    found = {trial["file"]: trial for trial in store.trials()}
    assert set(found) == set(before)
    for name, (text, _) in before.items():
        on_disk = json.loads(text)
        assert {key: found[name][key] for key in on_disk} == on_disk
    assert contents(tmp_path) == before


# Several writers.


def test_a_refresh_reads_other_writers_trials(store):
    other = reopened(store)
    trial = store.put("label", TRIAL)
    assert other.get(SETTINGS) is None
    other.refresh()
    assert other.get(SETTINGS) == trial
    assert other.problems == []


@pytest.mark.parametrize("label", ["label", "another label"])
def test_the_first_of_two_results_wins(label, store, contents):
    other = reopened(store)
    first = store.put("label", TRIAL)
    before = contents(store.folder)
    assert other.put(label, trial_of(0.5)) == first
    assert other.get(SETTINGS) == first
    assert contents(store.folder) == before


def test_two_results_in_two_files(store):
    """No run does this, but a user who merges folders may."""
    first = store.put("a", TRIAL)
    elsewhere = Store(store.folder.with_name("elsewhere"))
    other = elsewhere.put("b", trial_of(0.5))
    copy = store.folder / "trials" / "b.json"
    copy.write_bytes(file_of(elsewhere, other).read_bytes())
    again = reopened(store)
    assert again.get(SETTINGS) == first
    assert again.trials() == [first]
    assert again.problems == [
        f"{copy} is another result of {first['file']}; left alone"
    ]
    copy.write_bytes(file_of(store, first).read_bytes())
    assert reopened(store).problems == []


def test_a_file_system_without_links(store, contents, monkeypatch):
    def refuse(*args):
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", refuse)
    other = reopened(store)
    first = store.put("label", TRIAL)
    assert other.put("label", trial_of(0.5)) == first
    assert len(contents(store.folder)) == 1
    assert reopened(store).get(SETTINGS) == first


WRITER = """
import json, sys; sys.argv[0] = "keras-asymbp"
from keras_asymbp.benchmarks.results.store import Store
store = Store(sys.argv[1])
trials = json.loads(sys.argv[3])
print("ready", flush=True)
sys.stdin.readline()
for number, trial in enumerate(trials):
    stored = store.put(
        f"label-{int(sys.argv[2]) % 2}" if number % 2 else "label",
        trial | {"command": sys.argv[2]},
    )
    print(stored["command"])
"""


def test_writers_that_race(tmp_path):
    """Every writer receives the result that is on disk."""
    trials = [trial_of(seed=number) for number in range(60)]
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, tmp_path, str(number), json.dumps(trials)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        for number in range(4)
    ]
    for writer in writers:
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        writer.stdin.write("go\n")
        writer.stdin.flush()
    received = [writer.communicate(timeout=120)[0].split() for writer in writers]
    assert [writer.returncode for writer in writers] == [0] * 4
    store = Store(tmp_path)
    on_disk = [store.get(trial["settings"])["command"] for trial in trials]
    even = slice(0, None, 2)  # with two labels there may be two files of one trial
    for results in received:
        assert results[even] == on_disk[even]
    assert len(store.trials()) == 60
    assert not [path for path in (tmp_path / "trials").iterdir() if ".tmp" in path.name]
    others = [problem for problem in store.problems if "is another result" in problem]
    assert others == store.problems
