"""The documentation is true: its code runs, its files exist, it leaves nothing out."""

import collections
import contextlib
import inspect
import io
import json
import pathlib
import re
import shutil
import statistics
import types
import unittest.mock

import keras
import pytest

from keras_asymbp.benchmarks.run import costs
from keras_asymbp.benchmarks.tables import experiments

ROOT = pathlib.Path(__file__).resolve().parents[1]
PAGES = [
    page.relative_to(ROOT).as_posix()
    for page in (
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        *ROOT.glob("docs/**/*.md"),
    )
    if "```python" in page.read_text(encoding="utf-8")
]
FIGURES = types.SimpleNamespace(meta={"figures": True})
# A block of Python and, where the page tells it, what it prints.
BLOCK = re.compile(
    r"^```python\n(?P<code>.*?)^```$(?:\n\n```output\n(?P<output>.*?)^```$)?",
    re.MULTILINE | re.DOTALL,
)


def blocks(text):
    found = list(BLOCK.finditer(text))
    # A block that the pattern misses would be one that is not run.
    assert len(found) == text.count("```python")
    assert sum(bool(block["output"]) for block in found) == text.count("```output")
    return found


# Their code trains for ten seconds or more.
LONG = {
    *("docs/experiments.md", "docs/extend.md", "docs/rules.md"),
    *("docs/guides/diagnose.md", "docs/guides/resnet.md"),
}


@pytest.fixture
def registered():
    """The catalog of data sets; those that a test adds are removed after it."""
    from keras_asymbp.benchmarks import datasets

    with unittest.mock.patch.dict(datasets.DATASETS):
        yield datasets.DATASETS


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize(
    "page",
    [
        pytest.param(page, marks=[pytest.mark.slow] if page in LONG else [])
        for page in sorted(PAGES)
    ],
)
def test_code_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    # Names that Keras numbers start anew, as for a reader.
    keras.utils.clear_session()
    text = (ROOT / page).read_text(encoding="utf-8")
    # As a file, with the page's line numbers, so that tracebacks and AutoGraph find it.
    source = tmp_path / f"{pathlib.Path(page).stem}.py"
    source.touch()
    namespace = {"__name__": "__main__", "__file__": str(source)}
    lines = []
    for block in blocks(text):
        lines += [""] * (text[: block.start("code")].count("\n") - len(lines))
        code = "\n".join([*[""] * len(lines), block["code"]])
        lines += block["code"].splitlines()
        source.write_text("\n".join(lines) + "\n", encoding="utf-8")
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(code, source, "exec"), namespace)
        if block["output"] is not None:
            assert printed.getvalue() == block["output"]


def test_the_loop_on_jax_runs(run_python):
    page = (ROOT / "docs" / "backends.md").read_text(encoding="utf-8")
    (program,) = re.findall(r"^```text\n(import os\n.*?)^```$", page, re.M | re.S)
    assert run_python(program) == "5\n"


@pytest.mark.slow
def test_recipes_make_a_rule_and_a_layer_of_the_package(tmp_path, run_python):
    shutil.copytree(ROOT / "keras_asymbp", tmp_path / "keras_asymbp")
    shutil.copytree(ROOT / "tests", tmp_path / "tests")
    page = (ROOT / "docs" / "extend.md").read_text(encoding="utf-8")
    for block in blocks(page):
        name = re.match(r"# (\S+/\S+\.py)\n", block["code"])
        if name:
            (tmp_path / name[1]).write_text(block["code"], encoding="utf-8")
    case = re.search(r"^case = testing\.(Case\(.*\))$", page, re.MULTILINE)[1]
    with (tmp_path / "keras_asymbp" / "testing" / "cases.py").open("a") as cases:
        cases.write(f"\n_case = {case}\nCASES[_case.layer] = _case\n")
    run_python(
        f"""
import os, sys
sys.path.insert(0, {str(tmp_path)!r})
os.chdir({str(tmp_path)!r})
import pytest
import keras, keras_asymbp
from keras_asymbp.testing import check_feedback
assert keras_asymbp.__file__.startswith({str(tmp_path)!r})
assert type(keras_asymbp.feedbacks.get("lSF")).__name__ == "LargestSigns"
check_feedback("lSF", layers=["AsymDense"])
check_feedback("NuSF", layers=["AsymConv1DTranspose"])
model = keras.Sequential(
    [keras.Input((4, 3)), keras.layers.Conv1DTranspose(2, 2, name="c")]
)
keras_asymbp.asymmetrize(model)
sys.exit(pytest.main(["-q", "--import-mode=importlib", "-p", "no:cacheprovider",
                      "tests/feedbacks/test_largest_signs.py"]))
""",
        timeout=600,
    )


@pytest.mark.parametrize("page", sorted(path.name for path in ROOT.glob("*.md")))
def test_links_lead_to_files(page):
    # Those within docs/ are checked by `mkdocs build --strict`.
    text = (ROOT / page).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", text):
        if "://" not in target:
            assert (ROOT / target).exists(), target


def test_recorded_table_has_our_figures_and_the_paper_s(extension):
    page = extension("recorded_figures").on_page_markdown(
        '{{ clamped("quick-mnist_5k", "C2") }}', FIGURES
    )
    best = collections.defaultdict(lambda: 1.0)
    for path in (ROOT / "benchmarks/results/quick-mnist_5k/trials").iterdir():
        trial = json.loads(path.read_text(encoding="utf-8"))
        run = trial["model"], trial["settings"]["seed"]
        best[run] = min(best[run], trial["result"]["best_error"])
    fixed, bottom = (
        f"{100 * statistics.fmean(e for (m, _), e in best.items() if m == model):.2f}"
        for model in ("RndF", "RndF Bottom")
    )
    row = f"{fixed}▲ <small>1.81</small> | {bottom}▲ <small>85.50▲</small>"
    assert f"| RndF | {row} |" in page


def test_estimates_of_time_come_from_the_measured_costs(extension):
    work = extension("planned_work")
    page = types.SimpleNamespace(meta={"planned": True})
    text = '{{ costs("mnist") }}\n{{ dry_run("--exp A --datasets mnist") }}'
    table, printed = work.on_page_markdown(text, page=page).split("\nmnist: ")
    cost = costs.COSTS["mnist", True]
    assert f"| {1000 * cost.update:.1f} | " in table.splitlines()[-1]
    assert table.endswith(f"| {1000 * cost.forward:.1f} |")
    assert printed.startswith("11 cells, 60 trials, 0 stored, 60 to run: ")


@pytest.mark.parametrize("name", experiments.ALL)
def test_the_time_of_every_experiment_is_known(name, extension):
    datasets = "sonnets" if name == "Text" else "mnist,cifar10"
    text = extension("planned_work").dry_run(f"--exp {name} --datasets {datasets}")
    assert "time unknown" not in text


def test_recorded_tables_of_other_experiments_have_their_figures(extension):
    page = extension("recorded_figures").on_page_markdown(
        '{{ errors("quick-fa-bench", "FA-bench") }}', FIGURES
    )
    assert page.count("| error, % | BP | FA | uSF |") == 1
    assert "| BioTorch: MNIST lenet-mnist | 0.91 | 1.70 |" in page


def test_options_of_peers_are_on_their_page(extension):
    from keras_asymbp.benchmarks.peers import options

    page = (ROOT / "docs" / "from-biotorch.md").read_text(encoding="utf-8")
    filled = extension("peer_options").on_page_markdown(page)
    assert "<!-- options" not in filled
    for option in (*options.BIOTORCH, *options.SIGN_SYMMETRY):
        (row,) = re.findall(rf"^\| `{option.name}`.*$", filled, re.MULTILINE)
        assert row.count("|") == 3
        assert options.SETTINGS.get(option.setting, options.Setting()).flag in row
        for value, here in (option.values or {}).items():
            assert re.search(rf"^\| · {value} \| .*{here.value or ''}", filled, re.M)


def test_reference_has_every_public_name(extension):
    import keras_asymbp

    discovered = extension("discovered_classes")
    pages = [
        discovered.on_page_markdown(path.read_text(encoding="utf-8"))
        for path in ROOT.glob("docs/reference/**/*.md")
    ]
    page = "\n".join(pages)
    packages = (
        keras_asymbp,
        keras_asymbp.callbacks,
        keras_asymbp.diagnostics,
        keras_asymbp.feedbacks,
        keras_asymbp.layers,
        keras_asymbp.metrics,
        keras_asymbp.models,
    )
    for package in packages:
        for name in package.__all__:
            value = getattr(package, name)
            if inspect.isclass(value) or inspect.isfunction(value):
                path = f"::: {value.__module__}.{value.__qualname__}"
                assert re.search(rf"^{re.escape(path)}$", page, re.MULTILINE), path
