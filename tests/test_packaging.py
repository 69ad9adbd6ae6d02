"""The package as it is released: its metadata, its files, and an installed wheel."""

import datetime
import os
import pathlib
import re
import runpy
import subprocess
import sys
import tarfile
import unittest.mock
import venv
import zipfile

import pytest
import yaml

import keras_asymbp

ROOT = pathlib.Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
# The README's program, and the experiment that the README names, cut short.
EXAMPLE = "\n".join(re.findall(r"^```python\n(.*?)^```$", README, re.M | re.S))
# What the extra `benchmarks` adds, and Keras and TensorFlow do not need.
EXTRA = (
    *("PIL", "importlib_resources", "jinja2", "keras_tuner", "matplotlib", "scipy"),
    *("soundfile", "tensorflow_datasets", "yaml"),
)
WITHOUT = f"import sys; sys.modules.update(dict.fromkeys({EXTRA}))"
WHERE = "import keras_asymbp; print(keras_asymbp.__file__)"
MAIN_JOB = (
    *("-m", "keras_asymbp.benchmarks", "--exp", "C2", "--preset", "smoke"),
    *("--models", "RndF Bottom", "--learning_rates", "5e-4", "--jobs", "1"),
)


@pytest.fixture(scope="module")
def metadata():
    """The arguments of `setuptools.setup`."""
    with unittest.mock.patch("setuptools.setup") as setup:
        runpy.run_path(str(ROOT / "setup.py"))
    return setup.call_args.kwargs


def test_every_file_has_the_same_version_and_date(metadata):
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    _, (version, date), *_ = re.findall(
        r"^## \[([^]]+)\](?: - (\S+))?$", changelog, re.MULTILINE
    )
    assert version == keras_asymbp.__version__ == metadata["version"]
    assert CITATION["version"] == version
    assert CITATION["date-released"] == datetime.date.fromisoformat(date)
    assert f"version = {{{version}}}" in README
    assert f"year    = {{{date[:4]}}}" in README


def test_the_citation_names_the_package_and_the_paper(metadata):
    assert CITATION["cff-version"] == "1.2.0"
    assert CITATION["license"] == metadata["license"]
    assert CITATION["authors"] == [{"name": metadata["author"]}]
    assert f"title   = {{{CITATION['title']}}}" in README
    (paper,) = CITATION["references"]
    names = [f"{a['family-names']}, {a['given-names']}" for a in paper["authors"]]
    assert f"author    = {{{' and '.join(names)}}}" in README
    assert f"title     = {{{paper['title']}}}" in README
    assert f"year      = {{{paper['year']}}}" in README


def test_the_description_shows_nothing_that_only_a_clone_has(metadata):
    text = metadata["long_description"]
    assert "pip install" in text
    assert "<" not in re.sub(r"`[^`]*`|```.*?```", "", text, flags=re.DOTALL)
    targets = re.findall(r"\]\(([^)]*)\)", text)
    assert [t for t in targets if not t.startswith(("http://", "https://", "#"))] == []


def tracked():
    """The files of the repository, also new ones."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a clone")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return [name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def build(kind, folder, into):
    """Builds a distribution of a folder by the installed setuptools."""
    program = f"import setuptools.build_meta as b; b.build_{kind}({str(into)!r})"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """A wheel built from the sdist, which has every file of the repository."""
    folder = tmp_path_factory.mktemp("release")
    clone, files = folder / "clone", tracked()
    for name in files:
        (clone / name).parent.mkdir(parents=True, exist_ok=True)
        (clone / name).write_bytes((ROOT / name).read_bytes())
    build("sdist", clone, folder)
    (sdist,) = folder.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder / "sdist", filter="data")
    (source,) = (folder / "sdist").iterdir()
    assert [name for name in files if not (source / name).is_file()] == []
    build("wheel", source, folder)
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def environment(wheel, tmp_path_factory):
    """An environment with the wheel, which sees the dependencies installed here."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet"]
    subprocess.run([*pip, "--no-index", "--no-deps", wheel], check=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    others = [path for path in sys.path if path.endswith("-packages")]
    (packages / "dependencies.pth").write_text("\n".join(others) + "\n")
    return folder


@pytest.mark.slow
def test_the_wheel_has_the_package(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = {
            n for n in archive.namelist() if not n.partition("/")[0].endswith("info")
        }
    expected = {
        name
        for name in tracked()
        if name.startswith("keras_asymbp/") and not name.endswith("/BUILD")
    }
    assert names == expected - {"keras_asymbp/BUILD"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "made"),
    [
        (("-c", f"{WITHOUT}\n{EXAMPLE}\n{WHERE}"), "served/saved_model.pb"),
        (MAIN_JOB, "results/report.html"),
    ],
    ids=["example", "main job"],
)
def test_the_installed_wheel_runs(arguments, made, environment, tmp_path):
    done = subprocess.run(
        [environment / "bin" / "python", *arguments],
        cwd=tmp_path,
        env={k: v for k, v in os.environ.items() if not k.startswith("PYTHON")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert (tmp_path / made).is_file()
    if WHERE in arguments[-1]:
        assert done.stdout.splitlines()[-1].startswith(str(environment))
