import os
import re
import sys

import pytest

import keras_asymbp
from keras_asymbp.benchmarks.commands import subcommands

SLOW_IMPORTS = {"tensorflow", "keras", "keras_tuner", "tensorflow_datasets", "rich"}


@pytest.fixture
def program(benchmarks):
    """Runs what the console script runs."""

    def run(*arguments, **environment):
        module = "keras_asymbp.benchmarks.commands.subcommands"
        return benchmarks(*arguments, module=module, timeout=120, **environment)

    return run


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"], ["help"]])
def test_it_lists_its_subcommands_and_imports_little(arguments, program):
    done = program(*arguments, PYTHONPROFILEIMPORTTIME="1")
    assert done.returncode == 0
    lines = [line.split() for line in done.stdout.splitlines()]
    listed = {line[0] for line in lines if line and line[0] in subcommands.SUBCOMMANDS}
    assert listed == set(subcommands.SUBCOMMANDS)
    names = re.findall(r"\| +([\w.]+)$", done.stderr, re.MULTILINE)
    assert "difflib" in names
    assert not {name.partition(".")[0] for name in names} & SLOW_IMPORTS


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("reprot", "unknown command 'reprot': did you mean 'report'?"),
        ("dataset", "did you mean 'datasets'?"),
        ("zzz\nTraceback", "unknown command 'zzz Traceback': choose from run"),
        ("--exp=C2", "'--exp=C2' comes after a command: give one of run, depth"),
    ],
)
def test_another_word_is_one_line(name, words, program):
    done = program(name, "--more")
    assert done.returncode == 2
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ")
    assert words in line


@pytest.mark.parametrize(
    ("name", "flag"),
    [
        ("run", "  --exp="),
        ("depth", "  --depths="),
        ("report", "  --results_dir="),
        ("claims", "  --datasets="),
        ("datasets", "  --prepare="),
        ("doctor", "  --data_dir="),
        ("translate", "keras-asymbp translate usf.yaml"),
    ],
)
def test_each_has_the_help_of_its_command(name, flag, program):
    done = program(name, "--help")
    assert done.returncode == 0
    assert done.stdout.startswith(f"Usage: keras-asymbp {name} [FLAGS]")
    assert flag in done.stdout
    assert "keras_asymbp" not in done.stdout  # no module's name
    assert max(map(len, done.stdout.splitlines())) <= 84  # a command may be longer
    assert done.stderr == ""


def test_the_version_and_the_help_of_a_command(program):
    for arguments in (["--version"], ["-V"], ["run", "--version"]):
        done = program(*arguments)
        assert done.stdout == f"keras-asymbp {keras_asymbp.__version__}\n"
    assert program("help", "run").stdout == program("run", "--help").stdout


def test_arguments_are_passed_on(program, benchmarks):
    assert program("run", "--list").stdout == benchmarks("--list").stdout
    assert "mnist_5k" in program("datasets", "--list").stdout
    assert "--learning_rates" in program("translate", "--", "--lr", "1", "x").stdout
    for name in subcommands.SUBCOMMANDS:
        done = program(name, "--no_such_flag")
        assert done.returncode == 2
        assert "no_such_flag" in done.stderr


# Packages of the extra "benchmarks"; refused, as if they were not installed.
REFUSE = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {
            "matplotlib", "jinja2", "keras_tuner", "PIL", "yaml", "scipy", "rich",
            "importlib_resources", "soundfile", "tensorflow_datasets",
        }:
            raise ModuleNotFoundError(name=name)
sys.meta_path.insert(0, Refuse())
"""


@pytest.fixture
def bare(benchmarks, tmp_path):
    """Runs the program without the packages of the extra."""
    (tmp_path / "sitecustomize.py").write_text(REFUSE)
    path = os.pathsep.join([str(tmp_path), *sys.path])

    def run(*arguments):
        return benchmarks(*arguments, module="keras_asymbp", PYTHONPATH=path)

    return run


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "--exp=C2", "--preset=smoke"],
        ["depth"],
        ["ablation"],
        ["report"],
        ["claims"],
        ["pictures"],
    ],
    ids=str,
)
def test_without_the_extra_it_says_what_to_install(arguments, bare, tmp_path):
    done = bare(*arguments, f"--results_dir={tmp_path}/results")
    assert done.returncode == 2
    assert re.fullmatch(
        r"error: \S+ is not installed: pip install 'keras-asymbp\[benchmarks\]' "
        "brings it\n",
        done.stderr,
    )
    assert not (tmp_path / "results").exists()


def test_without_the_extra_there_is_help(bare):
    for arguments in (
        ["run", "--list"],
        ["ablation", "--help"],
        ["completion", "bash"],
    ):
        done = bare(*arguments)
        assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    "flag",
    [
        *("--verbosity=x", "--stderrthreshold=x", "--logger_levels=x", "--pdb"),
        *("--run_with_pdb", "--pdb_post_mortem", "--only_check_args", "--helpxml=3"),
        *("--run_with_profiling", "--profile_file=/x", "--undefok"),
    ],
)
def test_flags_of_absl_with_nonsense_are_one_line(flag, program):
    done = program("claims", flag)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ")
    assert "--help" in line


def test_an_unreadable_flag_file_is_named(program, tmp_path):
    done = program("claims", f"--flagfile={tmp_path}")
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"error: can't read or write '{tmp_path}' (Is a directory)")


def test_a_flag_file_that_is_no_text_is_one_line(program, tmp_path):
    path = tmp_path / "flags.txt"
    path.write_bytes(b"--results_dir=\xff\n")
    done = program("claims", f"--flagfile={path}")
    assert done.returncode == 2
    assert done.stderr == (
        "error: a file of --flagfile is no text in utf-8 (--help lists the flags)\n"
    )
