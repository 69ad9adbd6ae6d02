import dataclasses
import json
import os
import pathlib

import pytest

from keras_asymbp.benchmarks.reports import files
from keras_asymbp.benchmarks.results import definitions, inventory
from keras_asymbp.benchmarks.results.store import Store
from keras_asymbp.benchmarks.tables import experiments, own

EXAMPLE = pathlib.Path(__file__).resolve().parents[3] / "docs/examples/right_signs.yaml"


@pytest.fixture
def mine():
    return own.read(str(EXAMPLE))


@pytest.fixture
def stored(tmp_path, mine, finish, make_cell):
    """A results folder with a trial of each of some columns, and the definition."""

    def stored(columns):
        store = Store(tmp_path)
        for column in columns:
            cell = make_cell(column)
            finish(store, cell, cell.trials()[0], 0.25)
        definitions.keep(tmp_path, [mine, experiments.get("C2")])
        return store

    return stored


def names(store):
    return [plan.experiment.name for plan in inventory.take(store).plans()]


def test_a_kept_definition_is_read_back(tmp_path, mine):
    definitions.keep(tmp_path, [mine])
    written = list((tmp_path / "experiments").iterdir())
    before = [path.stat().st_mtime_ns for path in written]
    definitions.keep(tmp_path, [mine])
    assert [path.stat().st_mtime_ns for path in written] == before
    (found,), problems = definitions.read(tmp_path)
    assert (found, found.file, problems) == (mine, mine.file, [])


def test_the_last_run_defines_an_experiment(tmp_path, mine):
    definitions.keep(tmp_path, [mine])
    changed = dataclasses.replace(mine, title="Other words")
    definitions.keep(tmp_path, [changed])
    assert definitions.read(tmp_path) == ([changed], [])


def test_names_of_one_file_name_are_both_kept(tmp_path, mine):
    others = [
        dataclasses.replace(mine, name=name) for name in ("right_signs", "日", "本")
    ]
    definitions.keep(tmp_path, [mine, *others])
    definitions.keep(tmp_path, [mine, *others])
    found, problems = definitions.read(tmp_path)
    assert {each.name for each in found} == {"right signs", "right_signs", "日", "本"}
    assert problems == []


def test_a_name_in_other_letters_is_the_same(tmp_path, mine):
    definitions.keep(tmp_path, [mine])
    changed = dataclasses.replace(mine, name="Right Signs")
    definitions.keep(tmp_path, [changed])
    assert definitions.read(tmp_path) == ([changed], [])


@pytest.mark.parametrize("content", [b"\xff\xfe", b'{"half'])
def test_a_foreign_file_in_its_place_is_left_alone(content, tmp_path, mine):
    folder = tmp_path / "experiments"
    folder.mkdir()
    (folder / "right_signs.json").write_bytes(content)
    definitions.keep(tmp_path, [mine])
    definitions.keep(tmp_path, [mine])
    assert (folder / "right_signs.json").read_bytes() == content
    found, (problem,) = definitions.read(tmp_path)
    assert found == [mine]
    assert problem.startswith(f"{folder / 'right_signs.json'}: ")


def test_a_folder_is_reported_without_the_users_file(stored, mine, tmp_path):
    store = stored(mine.columns[2:])
    files.write_all(inventory.take(store))
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert f"## right signs: {mine.title} ({mine.table})" in text
    assert "| Doe 2026: mnist_5k | 6.40 | ? | ? | 12.00▲ |" in text
    assert "rank correlation" not in text  # of fewer than three models
    assert f"--exp {EXAMPLE}" in text
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "beside those of Doe 2026" in page


def test_half_a_table_is_shown_though_others_have_its_models(stored):
    # Table 2 has two of its four models, by other names, and Table 4 another one.
    assert names(stored(experiments.get("A").columns)) == ["A", "right signs"]
    assert names(stored([])) == ["A", "right signs"]


def test_a_requested_table_replaces_the_stored_one_of_its_name(stored, mine):
    taken = inventory.take(stored(mine.columns))
    [plan] = taken.plans()
    changed = dataclasses.replace(mine, columns=mine.columns[:3])
    asked = dataclasses.replace(plan, experiment=changed, columns=changed.columns)
    shown = [plan.experiment for plan in taken.plans([asked])]
    assert shown.count(changed) == 1
    assert mine not in shown


def test_less_is_not(stored, mine):
    assert names(stored(mine.columns[:1])) == ["A"]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("x.json", b"{", "Expecting property name"),
        ("x.json", b"[]", "it has no schema keras_asymbp.experiment/1"),
        ("x.json", b'{"schema": "keras_asymbp.experiment/2"}', "it has no schema"),
        ("x.json", b" " * 2**21, "it is larger than 1 MiB"),
        ("x.json", b"[" * 10**5, "recursion"),
        ("a.json", {"name": "A"}, "the name 'A' is an experiment of the package"),
        ("x.json", {}, "another file has 'right signs', too"),
        ("x.json", {"file": 5}, "it names no file"),
        ("x.json", {"more": 5}, "unknown field 'more'"),
        ("pipe", os.mkfifo, "it is a named pipe"),
    ],
)
def test_what_is_no_definition_is_a_problem(name, content, reason, tmp_path, mine):
    definitions.keep(tmp_path, [mine])
    folder = tmp_path / "experiments"
    if callable(content):
        content(folder / name)
    elif isinstance(content, dict):
        fields = json.loads((folder / "right_signs.json").read_text(encoding="utf-8"))
        (folder / name).write_text(json.dumps(fields | content), encoding="utf-8")
    else:
        (folder / name).write_bytes(content)
    found, (problem,) = definitions.read(tmp_path)
    assert found == [mine]
    assert problem.startswith(f"{folder / name}: ")
    assert "get it again" not in problem
    assert reason in problem
    assert problem.endswith("; left alone")
    assert inventory.take(Store(tmp_path)).problems == (problem,)


def test_a_folder_that_is_none_is_a_problem(tmp_path):
    (tmp_path / "experiments").write_text("")
    assert definitions.read(tmp_path)[0] == []
    assert "Not a directory" in definitions.read(tmp_path)[1][0]
