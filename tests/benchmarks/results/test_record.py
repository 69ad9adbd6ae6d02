import copy
import hashlib
import json
import math
import pathlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keras_asymbp.benchmarks.reports import files
from keras_asymbp.benchmarks.results import inventory
from keras_asymbp.benchmarks.results.measures import MEASURES
from keras_asymbp.benchmarks.results.record import disbelief
from keras_asymbp.benchmarks.results.store import Store, trial_id
from keras_asymbp.benchmarks.tables.experiments import Column

RECORDED = pathlib.Path(__file__).parents[3] / "benchmarks" / "results"
RECORDS = sorted(RECORDED.glob("*/trials/*.json"))


@pytest.fixture
def record(make_cell, make_record):
    """An honest record of six epochs."""
    cell = make_cell()
    made = json.loads(json.dumps(make_record(cell, cell.trials()[0])))
    made["result"]["alignment"] = {"conv": {"angle": 45.0, "gradient_angle": None}}
    made["result"]["diagnostics"] = {"conv": dict.fromkeys(MEASURES, 1.0)}
    return {"id": trial_id(made["settings"])} | made


@pytest.mark.parametrize("folder", sorted({path.parent.parent for path in RECORDS}))
def test_recorded_trials_are_believed(folder):
    reasons = {
        path.name: disbelief(json.loads(path.read_text(encoding="utf-8")))
        for path in RECORDS
        if path.is_relative_to(folder)
    }
    assert set(reasons.values()) == {None}


def test_an_honest_record_is_believed(record):
    assert disbelief(record) is None


def test_what_later_versions_may_add_is_believed(record):
    record["machine"]["new"] = "x"
    record["result"]["new"] = {"x": [1]}
    record["new"] = [1]
    assert disbelief(record) is None


def test_what_older_versions_lack_is_believed(record):
    del record["overridden"]
    del record["machine"]["threads"], record["machine"]["deterministic"]
    assert disbelief(record) is None


def test_a_trial_that_diverged_at_once_is_believed(record):
    record["result"] = {
        **{"best_error": 0.9, "best_epoch": None, "diverged": True},
        **{"curves": [], "alignment": None, "diagnostics": None},
    }
    assert disbelief(record) is None
    record["result"]["best_error"] = 0.01
    assert disbelief(record) == (
        "its errors are not those of the best of result.curves"
    )


NO_NUMBERS = (None, "0.1", [], {}, True, math.nan, math.inf, -math.inf, 10**400)
FORGERIES = {
    "id": (None, 5, []),
    "model": (None, 5, ["SGD"], {}),
    "command": (None, 5, []),
    "started": (None, 5, "yesterday", ""),
    "seconds": (*NO_NUMBERS, -1),
    "compile_seconds": ("1", -1, math.nan),
    "overridden": (None, [], {"weight_decay": "1"}, {"x": 1}, {"epochs": 0}),
    "versions": (None, [], {"keras": 3}, dict.fromkeys(map(str, range(999)), "")),
    "machine": (None, [], {}),
    "machine.cores": (0, "2", 2.0, True),
    "machine.threads": ("2", None, 1.5),
    "machine.deterministic": (None, 0, "no"),
    "machine.accelerator": (5, ["GPU"]),
    "machine.else": ({}, []),
    "settings": (None, [], {}, "settings"),
    "settings.epochs": (*NO_NUMBERS, 0, -1, 1.5),
    "settings.seed": (None, "0", 1.5, True, -1, 10**30),
    "settings.revision": (None, "1", 0, 1.0),
    "settings.learning_rate": NO_NUMBERS,
    "settings.batch_schedule": (
        *(None, [], [[]], [[0]], [[1, 100]], [[0, 0]], [[0, 100, 3]], [[0, "1"]]),
        *([[0, 100], [0, 500]], [[0, 100], [3, -1]], {"0": 100}),
    ),
    "settings.dataset": (None, 5, ["mnist_5k"]),
    "settings.architecture": (None, 5),
    "settings.normalization": (5, [], {}),
    "settings.scale": ("", None, 1),
    "settings.validation_share": (0.0, 1.5, "0.1", 0.1),
    "settings.augmentation": (None, 5),
    "settings.bias_decay": (1, True, "no"),
    "settings.train_examples": (0, -5, "5000", 1.5),
    "settings.unknown": (None, 0),
    "result": (None, [], {}, 0.1),
    "result.best_error": (*NO_NUMBERS, -0.1, 1.1, 41.5, 0.2),
    "result.best_epoch": (None, 0, 7, "1", 1.0, True),
    "result.diverged": (None, 0, "false"),
    "result.validation_error": (0.1, None, math.nan),
    "result.curves": (None, {}, [], [[]], [None]),
    "result.curves.0": (None, [], {}),
    "result.curves.0.epoch": (2, 0, None, "1"),
    "result.curves.0.test_error": (*NO_NUMBERS, 1.5, 0.1),
    "result.curves.5.train_error": (*NO_NUMBERS, 1.5),
    "result.curves.5.test_loss": NO_NUMBERS,
    "result.curves.5.validation_error": (0.1,),
    "result.curves.5.else": (0.1,),
    "result.alignment": (
        *([], 5, {"conv": None}, {"conv": {"angle": 1.0}}),
        {"conv": {"angle": "1", "gradient_angle": None}},
        {"conv": {"angle": 181, "gradient_angle": None}},
        {"conv": {"angle": math.nan, "gradient_angle": None}},
        {"conv": {"angle": None, "gradient_angle": None, "layer": 1}},
    ),
    "result.diagnostics": (
        *([], 5, {"conv": None}, {"conv": []}, {"conv": {}}),
        {"conv": {name: 1.0 for name in MEASURES if name != "error_rms"}},
        *(
            {"conv": dict.fromkeys(MEASURES, 1.0) | {name: value}}
            for name in ("else", *MEASURES)
            for value in (*NO_NUMBERS[1:], *([-0.5] if name.endswith("rms") else []))
        ),
        {"conv": dict.fromkeys(MEASURES, 1.0) | {"error_cosine": 1.1}},
        {"conv": dict.fromkeys(MEASURES, 1.0) | {"error_effective_rank": 0.5}},
        {str(layer): dict.fromkeys(MEASURES, 1.0) for layer in range(10_001)},
    ),
}


def replaced(record, path, value):
    """A copy with another value at a path, signed as if it were honest."""
    copied = copy.deepcopy(record)
    *parents, last = [int(name) if name.isdigit() else name for name in path.split(".")]
    part = copied
    for name in parents:
        part = part[name]
    part[last] = value
    return copied


@pytest.mark.parametrize("path", FORGERIES)
def test_a_forged_record_is_not_believed(path, record):
    for value in FORGERIES[path]:
        reason = disbelief(replaced(record, path, value))
        assert reason is not None, value
        assert reason.isprintable()
        assert len(reason) < 200


def test_a_record_without_a_field_is_not_believed(record):
    later = {"overridden"}
    for name in record.keys() - later:
        without = {key: record[key] for key in record if key != name}
        assert disbelief(without) == f"{name} is missing"


def test_curves_of_another_length(record):
    rows = record["result"]["curves"]
    longer = replaced(record, "result.curves", [*rows, rows[-1] | {"epoch": 7}])
    assert "more epochs" in disbelief(longer)
    shorter = replaced(record, "result.curves", rows[:3])
    assert "lacks epochs" in disbelief(shorter)
    assert disbelief(replaced(shorter, "result.diverged", True)) is None


def test_the_best_epoch_is_the_lowest(record):
    forged = replaced(record, "result.curves.3.test_error", 0.125)
    assert "not those of the best" in disbelief(forged)


def test_held_out_examples_choose(make_cell, make_record):
    cell = make_cell(validation_share=0.1)
    made = make_record(cell, cell.trials()[0], 0.25, 0.125)
    made["id"] = trial_id(made["settings"])
    assert disbelief(made) is None
    for path in ("result.validation_error", "result.curves.1.validation_error"):
        assert disbelief(replaced(made, path, 0.5)) is not None
    del made["result"]["validation_error"]
    assert "do not go together" in disbelief(made)


def test_alignment_that_was_asked_for(make_cell, make_record):
    cell = make_cell(alignment_batches=2)
    made = make_record(cell, cell.trials()[0])
    made["id"] = trial_id(made["settings"])
    assert disbelief(made) == "result.alignment is missing"
    made = replaced(made, "result.alignment", None)
    assert disbelief(made) is None
    # Diagnostics came later, and with alignment only.
    assert disbelief(replaced(made, "result.diagnostics", None)) is None
    layers = {"conv/depthwise": dict.fromkeys(MEASURES)}
    alone = replaced(made, "result.diagnostics", layers)
    assert disbelief(alone) == (
        "result.alignment and result.diagnostics do not go together"
    )
    both = replaced(alone, "result.alignment", {})
    assert disbelief(both) is None


# Any change of an honest file.
ODD = st.sampled_from(
    [*NO_NUMBERS, -1, 0, 1.5, 2**64, "\x1b[2J\n\udcff", "=1+1", "<b>"]
)
ANY = st.recursive(
    ODD | st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda values: (
        st.lists(values, max_size=3) | st.dictionaries(st.text(), values, max_size=3)
    ),
    max_leaves=5,
)


def paths(value, start=()):
    """The path of every part of a value."""
    yield start
    names = range(len(value)) if isinstance(value, list) else value
    if isinstance(value, list | dict):
        for name in names:
            yield from paths(value[name], (*start, name))


@st.composite
def changes(draw, record):
    """Text of a file made from an honest record by a few changes."""
    record = copy.deepcopy(record)
    for _ in range(draw(st.integers(1, 3))):
        *parents, last = draw(st.sampled_from([*paths(record)][1:]))
        part = record
        for name in parents:
            part = part[name]
        match draw(st.sampled_from(["replace", "remove", "add", "double"])):
            case "remove":
                del part[last]
            case "add" if isinstance(part, dict):
                part[draw(st.text())] = draw(ANY)
            case "double" if isinstance(part, list):
                part.insert(last, copy.deepcopy(part[last]))
            case _:
                part[last] = draw(ANY)
        if not isinstance(record, dict) or not record:
            break
    if "settings" in record and draw(st.booleans()):
        record["id"] = trial_id_of_anything(record["settings"])
    record.pop("digest", None)
    text = json.dumps(record, sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()
    text = json.dumps(record | {"digest": digest})
    if draw(st.integers(0, 4)) == 0:
        place = draw(st.integers(0, len(text)))
        text = text[:place] + draw(st.text(max_size=3)) + text[place + 1 :]
    return text


def trial_id_of_anything(value):
    text = json.dumps(value, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@pytest.mark.slow
def test_a_report_of_changed_files(tmp_path_factory, make_cell, finish):
    """Whatever stands beside them, honest trials are reported, without a traceback."""
    honest = make_cell(learning_rates=(5e-3,))
    victim = make_cell(Column("uSF", rule="uSF"), learning_rates=(5e-3,))
    source = Store(tmp_path_factory.mktemp("source"))
    record = dict(finish(source, victim, *victim.trials(), 0.5))
    del record["file"]

    @settings(
        max_examples=100,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=True,
    )
    @given(data=st.data())
    def check(data):
        folder = tmp_path_factory.mktemp("results")
        kept = finish(Store(folder), honest, *honest.trials(), 0.25)
        text = data.draw(changes(record))
        (folder / "trials" / "a.json").write_text(
            text, encoding="utf-8", errors="surrogatepass"
        )
        store = Store(folder)
        page = files.write_all(inventory.take(store, learning_rates=(5e-3,)))
        assert kept["id"] in [trial["id"] for trial in page.trials]
        figures = {figure["model"]: figure["error"] for figure in page.data["figures"]}
        assert figures["SGD"] == 25.0
        assert len(store.trials()) + len(store.problems) == 2
        assert all(problem.isprintable() for problem in store.problems)

    check()
