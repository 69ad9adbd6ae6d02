"""The rooms of the suite import downward only, and only some know a tensor library."""

import ast
import pathlib
import re

import pytest

import keras_asymbp.benchmarks

PACKAGE = "keras_asymbp.benchmarks"
ROOT = pathlib.Path(keras_asymbp.benchmarks.__file__).parent
# From the lowest up. Rooms on one floor don't import each other.
FLOORS = (
    {"escaping"},
    {"errors", "environment", "networks", "counting"},
    {"guard"},
    {"datasets"},
    {"tables"},
    {"results"},
    {"training", "pictures"},
    {"run", "reports", "depth", "ablation", "peers"},
    {"commands"},
)
TENSOR_LIBRARIES = {"tensorflow", "tensorflow_datasets", "keras", "keras_tuner", "jax"}
# Data is loaded without any; TFDS needs one to prepare it, or to read it where it can.
WITH_TFDS = (
    "datasets/builders/*",
    "datasets/download.py",
    "datasets/reading/with_tfds.py",
)
FILES = sorted(file.relative_to(ROOT) for file in ROOT.rglob("*.py"))


def room_of(parts):
    """The first part of a path below the package; the top files are their own rooms."""
    return parts[0].removesuffix(".py")


def imports(file):
    """The full names that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse((ROOT / file).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{file}: relative import"
            yield from (f"{node.module}.{name.name}" for name in node.names)


def floor(room):
    return next(number for number, rooms in enumerate(FLOORS) if room in rooms)


def test_every_room_has_its_floor():
    doors = {"__init__", "__main__"}
    assert {room_of(file.parts) for file in FILES} - doors == set.union(*FLOORS)


def test_the_design_page_and_the_docstring_have_every_floor():
    page = (ROOT.parents[1] / "docs" / "design.md").read_text(encoding="utf-8")
    block = page.partition("Rooms import downward only")[2].split("```")[1]
    lines = block.splitlines()[1:]  # after the language
    assert [set(line.split(", ")) for line in reversed(lines)] == list(FLOORS)
    items = keras_asymbp.benchmarks.__doc__.partition("\n- ")[2].split("\n- ")
    rooms = set.union(*FLOORS)
    listed = [set(re.findall(r"`(\w+)`:", item)) & rooms for item in items]
    assert listed == list(FLOORS)
    table = set(re.findall(r"^\| `(\w+)/` \|", page, re.MULTILINE))
    assert table == {name for name in rooms if (ROOT / name).is_dir()}


@pytest.mark.parametrize(
    "file",
    # `python -m` needs a door in some rooms; it leads to `commands`.
    [file for file in FILES if file.name != "__main__.py" and len(file.parts) > 1],
    ids=str,
)
def test_rooms_import_downward(file):
    here = room_of(file.parts)
    for name in imports(file):
        if name.startswith(f"{PACKAGE}."):
            there = name.removeprefix(f"{PACKAGE}.").split(".")[0]
            assert there == here or floor(there) < floor(here), name


@pytest.mark.parametrize("file", FILES, ids=str)
def test_only_training_and_tfds_know_a_tensor_library(file):
    if room_of(file.parts) == "training" or file.name == "doctor.py":
        return
    if any(file.match(pattern) for pattern in WITH_TFDS):
        return
    found = {name.partition(".")[0] for name in imports(file)}
    assert not found & TENSOR_LIBRARIES
