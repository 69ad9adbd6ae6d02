import os
import pathlib
import sys

import pytest

from keras_asymbp.benchmarks.errors import UsageError
from keras_asymbp.benchmarks.tables import experiments, own
from keras_asymbp.benchmarks.tables.experiments import Column

EXAMPLES = pathlib.Path(__file__).resolve().parents[3] / "docs" / "examples"
TABLE = "name: {}\ntitle: Signs\ncolumns: [{{name: SGD}}, {{name: u, rule: uSF}}]\n"
PYTHON = "from keras_asymbp.benchmarks.tables.experiments import Column, Experiment\n"


@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write(name, text):
        content = text if isinstance(text, bytes) else text.encode()
        pathlib.Path(name).write_bytes(content)
        return name

    return write


def test_a_yaml_and_a_python_file_are_one_experiment(write):
    named = own.read(write("mine.yaml", TABLE.format("mine")))
    assert named.columns == (Column("SGD"), Column("u", rule="uSF"))
    assert (named.file, named.table, named.source) == ("mine.yaml", "mine.yaml", None)
    write("helper.py", "RULES = ['uSF']\n")
    script = PYTHON + (
        "from helper import RULES\n"
        "columns = Column('SGD'), *(Column('u', rule=rule) for rule in RULES)\n"
        "experiment = Experiment('mine', 'Signs', 'mine.yaml', columns)\n"
    )
    before = list(sys.path)
    executed = own.read(write("mine.py", script))
    assert (executed, executed.file) == (named, "mine.py")
    assert sys.path == before


def test_each_table_imports_from_its_own_folder(write, monkeypatch):
    script = PYTHON + (
        "from helper import NAME\n"
        "from package.inner import TITLE\n"
        "import installed\n"
        "experiment = Experiment(NAME, TITLE, 'x', (Column('SGD'),))\n"
    )
    files = []
    for folder in ("one", "other"):
        for inner in (f"{folder}/package", f"{folder}/env"):
            pathlib.Path(inner).mkdir(parents=True)
        write(f"{folder}/helper.py", f"NAME = {folder!r}\n")
        write(f"{folder}/package/__init__.py", "")
        write(f"{folder}/package/inner.py", f"TITLE = 'of {folder}'\n")
        files.append(write(f"{folder}/mine.py", script))
    # As a virtual environment in the folder of the first: it can't be imported twice.
    write("one/env/installed.py", "")
    monkeypatch.syspath_prepend("one/env")
    found = own.find([files[0], f"one/../{files[1]}"])
    assert [(e.name, e.title) for e in found] == [
        ("one", "of one"),
        ("other", "of other"),
    ]
    assert not {"helper", "package", "package.inner"} & sys.modules.keys()
    assert "installed" in sys.modules
    monkeypatch.delitem(sys.modules, "installed")


@pytest.mark.parametrize("name", ["right_signs.yaml", "decays.py"])
def test_the_examples_of_the_documentation_are_tables(name):
    assert own.read(str(EXAMPLES / name)).name == name.split(".")[0].replace("_", " ")


def test_the_guide_shows_the_examples():
    guide = (EXAMPLES.parent / "guides" / "tables.md").read_text(encoding="utf-8")
    for name in ("right_signs.yaml", "decays.py"):
        assert (EXAMPLES / name).read_text(encoding="utf-8") in guide


def test_names_and_files_are_found_in_their_order(write):
    mine = write("mine.yml", TABLE.format("mine"))
    found = own.find(["c2", mine, f"./{mine}", "A"])
    assert [each.name for each in found] == ["C2", "mine", "A"]
    assert len(own.find(["all"])) == len(experiments.EXPERIMENTS)


def test_two_files_of_one_name_are_refused(write):
    files = write("a.yaml", TABLE.format("x")), write("b.yaml", TABLE.format("X"))
    with pytest.raises(UsageError, match=r"'X', a\.yaml and b\.yaml: give one"):
        own.find(files)


FAULTS = {
    # File and content, or what makes it: reason, and next step.
    ("a.yaml", "name: ["): "(line 1: expected",
    ("a.yaml", b"a: 1\nb: \xff"): "(line 2: it is no text in UTF-8): correct",
    ("a.yaml", b" " * 2**21): "bytes, more than 1048576): give a table",
    ("a.yaml", TABLE.format("B1")): "(the name 'B1' is an experiment of the package)",
    ("a.py", "x = 1\nraise ValueError('a\\nb')"): "(line 2: ValueError: a): correct",
    ("a.py", "import sys\nsys.exit()"): "(line 2: SystemExit): correct",
    ("a.py", "exit(0)"): "(line 1: SystemExit: 0): correct",
    ("a.py", "a = ("): "(line 1: SyntaxError: ",
    ("a.py", "import nosuchmodule"): "(line 1: ModuleNotFoundError: No module",
    ("a.py", "x = 1\n" * 3): "'experiment' is missing, expected an Experiment",
    ("a.py", "experiment = 5"): "'experiment' is of type int, expected",
    ("a.py", PYTHON + "experiment = Experiment(1, 2, 3, [object()])"): "(name is 1",
    ("a.py", PYTHON + "experiment = Experiment('x', 'y', 'z', [{}])"): "column 1: name",
    ("a.py", PYTHON + "experiment = Experiment(1, 2, 3, 4)"): "no table: expected",
    ("a.py", "a = '\0'"): "(",
    ("a.yaml", os.mkfifo): "(it is a named pipe, not a file): give a table",
    ("a.py", os.mkdir): "(it is a folder, not a file): give a table",
    ("./a", "x"): "(it is no YAML and no Python file): give a table",
    ("a.yaml", None): "(No such file or directory): give a table",
}


@pytest.mark.parametrize("case", FAULTS, ids=lambda case: str(case)[:30])
def test_a_bad_file_is_an_error_with_file_place_and_next_step(case, write):
    name, content = case
    if callable(content):
        content(pathlib.Path(name).absolute())
    elif content is not None:
        write(name, content)
    with pytest.raises(UsageError) as found:
        own.find([name])
    assert str(found.value).startswith(f"can't read {name} (")
    assert FAULTS[case] in str(found.value)
