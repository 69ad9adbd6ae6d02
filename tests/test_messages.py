"""Every error and warning has an entry, and the test that it names raises it."""

import ast
import importlib.util
import pathlib

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
spec = importlib.util.spec_from_file_location(
    "messages", ROOT / "docs" / "ext" / "messages.py"
)
messages = importlib.util.module_from_spec(spec)
spec.loader.exec_module(messages)

ENTRIES = messages.entries()


def test_source_and_data_file_have_the_same_messages():
    written = [entry[1:3] for entry in ENTRIES]
    assert len(written) == len(set(written))
    found = set(messages.collect())
    assert sorted(found - set(written)) == [], "without an entry in docs/messages.yaml"
    assert sorted(set(written) - found) == [], "no longer in the source"


def test_the_page_lists_them():
    page = (ROOT / "docs" / "messages.md").read_text(encoding="utf-8")
    filled = messages.on_page_markdown(page)
    assert "<!--" not in filled
    for section, kind, message, entry in ENTRIES:
        assert f"## {section}\n" in filled
        assert f"- {kind}: ``{message}``<br>\n  {entry['cause'].strip()}" in filled


def test_other_pages_stay_as_they_are():
    assert messages.on_page_markdown("# Design") == "# Design"


@pytest.mark.parametrize("test", sorted({entry["test"] for *_, entry in ENTRIES}))
def test_the_named_test_is_there(test):
    file, _, name = test.partition("::")
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    assert name in [n.name for n in tree.body if isinstance(n, ast.FunctionDef)]
