import importlib
import sys
import types

import pytest
from absl import flags

import keras_asymbp
from keras_asymbp.benchmarks.commands import program, subcommands
from keras_asymbp.benchmarks.commands.flags.groups import ESSENTIALS, Group
from keras_asymbp.benchmarks.errors import UsageError


@pytest.fixture
def store(tmp_path):
    """A stand-in for a store, whose folder can be written to."""
    return types.SimpleNamespace(folder=tmp_path, writable=True)


def refuse(*_):
    raise PermissionError(13, "Permission denied")


def test_a_written_report(store):
    assert program.write_or_warn(store, str.upper, "page") == "PAGE"
    assert program.write_or_warn(store, lambda: None) is True


def test_an_unwritten_report_is_an_error(store):
    words = "can't write the report into .* run the same command again"
    with pytest.raises(UsageError, match=words):
        program.write_or_warn(store, refuse)


@pytest.mark.parametrize("failed", [True, False])
def test_an_unwritten_report_is_a_warning_where_that_is_no_surprise(
    failed, store, capsys
):
    store.writable = failed
    assert program.write_or_warn(store, refuse, failed=failed) is False
    assert capsys.readouterr().err == (
        f"warning: can't write the report into {store.folder} (Permission denied)\n"
    )


def test_importing_the_commands_defines_no_flag():
    before = set(flags.FLAGS)
    for subcommand in subcommands.SUBCOMMANDS.values():
        assert callable(importlib.import_module(subcommand.module).main)
    new = set(flags.FLAGS) - before
    assert not new & {"data_dir", "results_dir", "datasets", "list", "exp", "prepare"}


@pytest.fixture
def parse(monkeypatch):
    """Parses arguments with a command's flags; returns the other words."""

    def parse(*arguments):
        values = flags.FlagValues()
        monkeypatch.setattr(flags, "FLAGS", values)
        monkeypatch.setattr(sys, "argv", ["keras-asymbp run", *arguments])
        Group(ESSENTIALS, values).switch("dry_run", None, "Only look.")
        Group(ESSENTIALS, values).integer("epochs", None, "How many.")
        program._define_help("keras-asymbp run", "Runs.", "")
        return program._parse_flags()

    return parse


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        ("--epoch=3", "unknown flag '--epoch': --help .*; did you mean '--epochs'"),
        ("--dryrun", "did you mean '--dry_run'"),
        ("--nodryrun", "did you mean '--nodry_run'"),
        ("--xyz", "unknown flag '--xyz': --help lists the flags$"),
        ("--epochs=three", "flag --epochs=three: must be a whole number below 2"),
    ],
)
def test_an_unknown_flag_has_near_names(argument, words, parse):
    with pytest.raises(UsageError, match=words):
        parse(argument)


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        ("--help", "Usage: keras-asymbp run [FLAGS]"),
        ("-h", "Usage: keras-asymbp run [FLAGS]"),
        ("-?", "Usage: keras-asymbp run [FLAGS]"),
        ("--helpshort", "Usage: keras-asymbp run [FLAGS]"),
        ("--helpfull", "Usage: keras-asymbp run [FLAGS]"),
        ("--version", f"keras-asymbp {keras_asymbp.__version__}"),
    ],
)
def test_help_and_version_end_the_process(argument, words, parse, capsys):
    with pytest.raises(SystemExit) as ended:
        parse("--epochs=1", argument, "--no_such_flag")
    assert not ended.value.code
    assert capsys.readouterr().out.startswith(words)
    assert parse("--nohelp", "--noversion", "word") == ["word"]
