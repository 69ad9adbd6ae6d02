"""Recorded results are what the present code makes of their trials."""

import importlib.util
import json
import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
NAMES = sorted(path.parent.name for path in RESULTS.glob("*/trials"))
SMALL = "quick-cifar10"


@pytest.fixture(scope="module")
def pages():
    path = ROOT / "docs" / "ext" / "recorded_pages.py"
    specification = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


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
    report = "depth.md" if name.startswith("depth") else "report.md"
    assert tables(copy / report)
    assert tables(copy / report) == tables(RESULTS / name / report)
    if report == "report.md":
        page = (copy / "report.html").read_text(encoding="utf-8")
        files = set(re.findall(r"trials/[^\"\\<]+\.json", page))
        assert len(files) == len(list((copy / "trials").iterdir()))
        assert [file for file in files if not (copy / file).is_file()] == []


def test_a_recorded_folder_keeps_what_its_trials_do_not_give():
    kept = {path.name for name in NAMES for path in (RESULTS / name).iterdir()}
    assert kept == {"trials", "report.md", "claims.md", "depth.md"}


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
