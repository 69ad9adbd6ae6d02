import importlib
import types

import pytest
from absl import flags

from keras_asymbp.benchmarks.commands import program, subcommands
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
