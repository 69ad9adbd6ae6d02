"""Recorded results are what the present code makes of their trials."""

import collections
import itertools
import json
import os
import pathlib
import re
import shutil
import urllib.parse

import jinja2
import numpy as np
import pytest
import scipy.stats

from keras_asymbp.benchmarks.commands import claims
from keras_asymbp.benchmarks.datasets.text import SYMBOLS
from keras_asymbp.benchmarks.errors import UsageError
from keras_asymbp.benchmarks.results import store
from keras_asymbp.benchmarks.results.verdicts import VERDICTS

ROOT = pathlib.Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
NAMES = sorted(path.parent.name for path in RESULTS.glob("*/trials"))
CLAIMS = sorted(path.parent.name for path in RESULTS.glob("*/claims.md"))
SMALL = "quick-cifar10"
ABLATION = "ablation-mnist_5k"
TEXT = "quick-text"


@pytest.fixture(scope="module")
def pages(extension):
    return extension("recorded_pages")


@pytest.fixture(scope="module")
def figures(extension):
    return extension("recorded_figures").Figures(RESULTS)


def tables(file):
    lines = file.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.startswith("|")]


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name == SMALL else pytest.mark.slow)
        for name in NAMES
    ],
)
def test_a_recorded_report_is_made_from_its_trials(pages, name, tmp_path):
    copy = pages.make(name, tmp_path)
    (report,) = {"report.md", "depth.md", "ablation.md"} & set(
        os.listdir(RESULTS / name)
    )
    assert tables(copy / report)
    assert tables(copy / report) == tables(RESULTS / name / report)
    if report == "report.md":
        page = (copy / "report.html").read_text(encoding="utf-8")
        links = re.findall(r"trials/[^\"\\<]+\.json", page)
        files = set(map(urllib.parse.unquote, links))
        assert len(files) == len(list((copy / "trials").iterdir()))
        assert [file for file in files if not (copy / file).is_file()] == []
        assert list((copy / "pictures").rglob("curves.svg"))


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name == SMALL else pytest.mark.slow)
        for name in CLAIMS
    ],
)
def test_recorded_verdicts_are_made_from_their_trials(name, tmp_path):
    copy = tmp_path / name
    shutil.copytree(RESULTS / name / "trials", copy / "trials")
    claims.check(str(copy), None, None)
    made, kept = ((at / name / "claims.md").read_text() for at in (tmp_path, RESULTS))
    assert made == kept


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name == SMALL else pytest.mark.slow)
        for name in CLAIMS
    ],
)
def test_a_page_asks_for_figures_of_the_trials(figures, name):
    text = (RESULTS / name / "claims.md").read_text(encoding="utf-8")
    summary, *others = [s for s in text.splitlines() if s.startswith("Claims: ")]
    if others:
        with pytest.raises(ValueError, match="too many values"):
            figures.count(name, VERDICTS[0])
        return
    verdicts, _, uncorrected = summary.partition("Without the correction")
    table = figures.fill(f"{{{{ verdicts(['{name}']) }}}}")
    for label, part in (("", verdicts), ("without the correction: ", uncorrected)):
        counts = [re.search(rf"\b{v} (\d+)", part)[1] for v in VERDICTS]
        assert f"| {label}`{name}` | {' | '.join(counts)} |" in table
        if not label:
            assert [str(figures.count(name, v)) for v in VERDICTS] == counts
    _, _, *rows = figures.fill(f"{{{{ correlations(['{name}']) }}}}").splitlines()
    assert rows[-1].startswith("| all tables |")
    assert f"| {figures.correlation(name)} |" in rows[-1]
    for place, cell in (row.strip("| ").split(" | ") for row in rows):
        correlation, interval = re.search(
            rf"^\| {place} of the paper \| \d+ \| (.*) \| (.*) \|$", text, re.MULTILINE
        ).groups()
        assert cell == correlation + (f" ({interval})" if interval != "?" else "")


def test_a_figure_in_prose_is_the_recorded_one(figures):
    # From the JSON files: the best error of all rates at any epoch.
    best, rate = min(
        (trial["result"]["best_error"], trial["settings"]["learning_rate"])
        for trial in map(json.loads, _texts(SMALL))
        if trial["model"] == "uSF+BN"
    )
    asked = (
        f"{{{{ error('{SMALL}', 'uSF+BN') }}}}, {{{{ runs('{SMALL}') }}}}, "
        f"{{{{ verdict('{SMALL}', 'III') }}}}, {{{{ rate('{SMALL}', 'uSF+BN') }}}}"
    )
    assert figures.fill(asked) == f"{100 * best:.2f}, 60, holds, {rate:g}"
    report = (RESULTS / SMALL / "report.md").read_text(encoding="utf-8")
    for line in figures.fill(f"{{{{ errors('{SMALL}', 'A') }}}}").splitlines()[2:]:
        assert line in report


def test_the_number_of_seeds_is_that_of_the_trials(figures):
    trials = map(json.loads, _texts("quick-mnist_5k"))
    assert len({trial["settings"]["seed"] for trial in trials}) == 10
    asked = f"{{{{ seeds('quick-mnist_5k') }}}}, {{{{ seeds('{SMALL}') }}}}"
    assert figures.fill(asked) == "ten, one"


def test_the_best_and_the_last_epoch_are_those_of_the_curve(figures):
    best = min(
        (
            trial["result"]
            for trial in map(json.loads, _texts(SMALL))
            if trial["model"] == "BN"
        ),
        key=lambda result: result["best_error"],
    )
    errors = [row["test_error"] for row in best["curves"]]
    asked = (
        f"{{{{ best_epoch('{SMALL}', 'BN') }}}}, {{{{ last_error('{SMALL}', 'BN') }}}}"
    )
    first = 1 + errors.index(min(errors))
    assert figures.fill(asked) == f"{first}, {100 * errors[-1]:.2f}"


def test_a_table_by_size_has_the_errors_of_the_trials(figures):
    folder = "paper-mnist_5k-sizes"
    lowest = collections.defaultdict(lambda: 1.0)
    for path in (RESULTS / folder / "trials").glob("*.json"):
        trial = json.loads(path.read_text())
        settings = trial["settings"]
        size = settings["train_examples"] or 4000
        run = size, trial["model"], settings["seed"]
        lowest[run] = min(lowest[run], trial["result"]["best_error"])
    errors = collections.defaultdict(list)
    for (size, model, _), error in lowest.items():
        errors[size, model].append(100 * error)
    table = figures.fill(
        '{{ by_size("paper-mnist_5k-sizes", "VI, small", ["BN", "BN+BM"]) }}'
    )
    rows = [row.split(" | ")[:3] for row in table.splitlines()[2:]]
    assert rows == [
        [f"| {size:,}", *(f"{np.mean(errors[size, m]):.2f}" for m in ("BN", "BN+BM"))]
        for size in (500, 1000, 2000, 4000)
    ]


def test_a_layer_in_prose_is_the_one_of_the_best_run_of_each_seed(figures):
    trials = [t for t in map(json.loads, _texts(TEXT)) if t["model"] == "FA"]
    best = [
        min(
            (t for t in trials if t["settings"]["seed"] == seed),
            key=lambda trial: trial["result"]["best_error"],
        )["result"]
        for seed in (0, 1, 2)
    ]
    angles = [result["alignment"]["wide_1"]["gradient_angle"] for result in best]
    ratios = [result["diagnostics"]["wide_1"]["error_norm_ratio"] for result in best]
    angle, ratio = f"{sum(angles) / 3:.0f}", f"{sum(ratios) / 3:.2f}"
    assert figures.layer(TEXT, "FA", "wide_1", "gradient_angle", 0) == angle
    assert figures.layer(TEXT, "FA", "wide_1", "error_norm_ratio", 2) == ratio
    head, _, *rows = figures.layers(TEXT, "gradient_angle", 0).splitlines()
    assert head == "| layer | FA | uSF | DFA |"
    assert rows[0] == "| `logits` | 0 | 0 | 0 |"  # no V below the output
    (row,) = (row for row in rows if "wide_1" in row)
    assert row.startswith(f"| `wide_1` | {angle} |")
    # DFA has no V of a layer's shape.
    assert figures.layer(TEXT, "DFA", "wide_1", "angle", 0) == "?"


def test_what_a_table_of_frequencies_knows_of_the_sonnets(figures):
    # Counted in the text itself: its first 90 % teach, its last 10 % test.
    text = (ROOT / "keras_asymbp/benchmarks/datasets/sonnets.txt").read_text("utf-8")
    letters = [c for c in text.lower() if c in SYMBOLS]
    cut = len(letters) - len(letters) // 10
    train, test = letters[:cut], letters[cut:]
    most = collections.Counter(train).most_common(1)[0][0]
    error = 100 - 100 * test.count(most) / len(test)
    assert most == " "
    # The windows are a sample of it.
    assert abs(float(figures.guess("sonnets", 0)) - error) < 2.5
    followers = collections.defaultdict(collections.Counter)
    for last, following in itertools.pairwise(train):
        followers[last][following] += 1
    named = {last: count.most_common(1)[0][0] for last, count in followers.items()}
    wrong = [named[last] != following for last, following in itertools.pairwise(test)]
    assert abs(float(figures.guess("sonnets", 1)) - 100 * sum(wrong) / len(wrong)) < 2.5


def test_an_angle_of_the_depth_study_is_the_one_of_the_best_run(figures):
    name = "depth-mnist_5k"
    best = min(
        (
            trial["result"]
            for trial in map(json.loads, _texts(name))
            if trial["model"] == "uSF+BN+BM"
            and trial["settings"]["architecture"] == "plain-8"
        ),
        key=lambda result: result["best_error"],
    )
    *below, last = (each["gradient_angle"] for each in best["alignment"].values())
    assert len(below) == 7
    assert last < 0.1  # the logits have no V above them
    of_one = (name, "uSF+BN+BM", "plain-8")
    assert figures.network_error(*of_one) == f"{100 * best['best_error']:.1f}"
    assert figures.mean_angle(*of_one) == f"{sum(below) / 7:.0f}"
    largest = figures.largest_angle(name, ["uSF+BN+BM"], ["plain-8"])
    assert largest == f"{max(below):.1f}"


def test_held_out_and_lowest_figures_are_those_of_the_trials(figures):
    name = "quick-fa-bench-resnet"  # whose rates are fewer than the preset's
    results = {
        model: [
            trial["result"]
            for trial in map(json.loads, _texts(name))
            if trial["model"] == model
        ]
        for model in ("BP", "FA")
    }
    chosen, lowest = {}, {}
    for model, each in results.items():
        best = min(each, key=lambda result: result["validation_error"])
        chosen[model] = 100 * best["best_error"]
        curves = [row["test_error"] for result in each for row in result["curves"]]
        lowest[model] = 100 * min(curves)
        assert figures.error(name, model) == f"{chosen[model]:.2f}"
        assert figures.lowest(name, model) == f"{lowest[model]:.2f}"
    difference = f"{chosen['FA'] - chosen['BP']:.2f}"
    assert figures.spread(name, ["FA", "BP"]) == difference
    assert float(figures.mean_gain(name)) <= float(figures.most_gained(name))
    (trial,) = (
        trial
        for trial in map(json.loads, _texts(name))
        if trial["model"] == "FA" and trial["settings"]["learning_rate"] == 5e-5
    )
    error = f"{100 * trial['result']['best_error']:.2f}"
    assert figures.error_at(name, "FA", 5e-5) == error


def test_an_error_under_one_reading_is_the_lowest_of_its_rates(figures):
    name = "ablation-cifar10"
    errors = [
        trial["result"]["best_error"]
        for trial in map(json.loads, _texts(name))
        if trial["model"] == "SGD"
        and trial["settings"]["input_scale"] == 1.0
        and trial["settings"]["kernel_initializer"] == "he_normal"
        and trial["settings"].get("loss_reduction", "sum") == "sum"
        and trial["settings"].get("bias_decay", True)
    ]
    asked = figures.reading_error(name, "pixels-he-sum-decay", "SGD")
    assert len(errors) >= 5
    assert asked == f"{100 * min(errors):.2f}"


def test_a_paused_run_adds_nothing_to_the_hours(extension, tmp_path):
    copy = store.Store(tmp_path / SMALL)
    for number, text in enumerate(_texts(SMALL)):
        trial = json.loads(text)
        trial["seconds"] = 600.0 if number else 86400.0
        copy.put(trial["model"], trial)
    figures = extension("recorded_figures").Figures(tmp_path)
    assert figures.hours(SMALL) == "10.0"  # 60 of 10 minutes


def test_a_folder_is_read_once(extension, monkeypatch):
    opened = []

    class Counted(store.Store):
        def __init__(self, folder, make):
            opened.append(folder.name)
            super().__init__(folder, make)

    monkeypatch.setattr(store, "Store", Counted)
    figures = extension("recorded_figures").Figures(RESULTS)
    for ask in (figures.readings, figures.choices, figures.runs, figures.hours):
        ask(ABLATION)
    figures.error(SMALL, "BM")
    figures.hours(SMALL)
    assert opened == [ABLATION, SMALL]


@pytest.mark.parametrize(
    "asked", ["{{ eror('a', 'b') }}", "{{ error('none', 'SGD') }}"]
)
def test_a_figure_that_does_not_exist_stops_the_build(asked, figures):
    with pytest.raises((jinja2.UndefinedError, UsageError)):
        figures.fill(asked)


@pytest.mark.parametrize("name", ["ablation", "depth", "recorded"])
def test_a_page_of_results_has_figures_of_trials_only(name):
    page = (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")
    assert page.startswith("---\nfigures: true\n---\n")
    # Errors in prose have two digits and a percent sign.
    prose = page.partition("## FA-bench")[0]
    assert re.findall(r"\d\.\d+%", prose) == []


def _texts(name):
    for path in (RESULTS / name / "trials").iterdir():
        yield path.read_text(encoding="utf-8")


def test_the_page_of_claims_has_the_price_of_few_seeds():
    page = (ROOT / "docs" / "claims.md").read_text(encoding="utf-8")
    text = (RESULTS / "quick-mnist_5k" / "claims.md").read_text(encoding="utf-8")
    number = int(re.search(r"Inequalities: (\d+)", text)[1])
    three, five, ten, twenty = (
        float(scipy.stats.t.isf(0.05 / 2 / number, seeds - 1))
        for seeds in (3, 5, 10, 20)
    )
    assert f"With {number} inequalities" in page
    assert (
        f"{three:.0f} standard errors from its limit with 3 seeds, {five:.0f} with 5, "
        f"{ten:.1f} with 10, and {twenty:.1f} with 20"
    ) in " ".join(page.split())


def test_a_recorded_folder_keeps_what_its_trials_do_not_give():
    kept = {path.name for name in NAMES for path in (RESULTS / name).iterdir()}
    assert kept == {"trials", "report.md", "claims.md", "depth.md", "ablation.md"}


def test_every_recorded_folder_has_its_command():
    readme = (ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8")
    for path in RESULTS.iterdir():
        assert f"| `{path.name}`" in readme, path.name


def test_the_figures_of_the_gpu_are_the_recorded_ones():
    page = (ROOT / "docs" / "backends.md").read_text(encoding="utf-8")
    files = {"default precision": "jax_step", "float32": "jax_step_float32"}
    for precision, name in files.items():
        path = ROOT / "benchmarks" / "results" / "gpu" / f"{name}.json"
        figures = json.loads(path.read_text(encoding="utf-8"))
        assert all(figures["equal_bits"].values())
        for network, label in (("mnist", "MNIST"), ("cifar", "CIFAR")):
            ratios = [
                f"{figures[network]['ratio'][f'scan {rule}']:.2f}"
                for rule in ("uSF", "frSF", "brSF")
            ]
            row = [f"{label} network, {precision}", *ratios]
            assert f"| {' | '.join(row)} |" in page
