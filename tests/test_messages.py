"""Every error and warning is on its page, with a cure and a test that raises it."""

import ast
import importlib.util
import pathlib
import re

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
    found = messages.collect()
    assert sorted(found - set(written)) == [], "without an entry in docs/messages.yaml"
    assert sorted(set(written) - found) == [], "no longer in the source"


def test_the_page_is_that_of_the_data_file():
    assert messages.PAGE.read_text(encoding="utf-8") == messages.page(), (
        "run: python docs/ext/messages.py"
    )


def test_each_is_raised_by_a_test_that_looks_for_it():
    for _, _, message, entry in ENTRIES:
        source = source_of(entry["test"])
        words = entry.get("looks_for")
        if words:
            assert words in message, (message, words)
            assert words in source, (message, entry["test"])
        else:
            assert has_two_words_of(message, source), (message, entry["test"])


def source_of(test):
    """The texts in a test, in its decorators and in the tables that it names."""
    file, _, name = test.partition("::")
    text = (ROOT / file).read_text(encoding="utf-8")
    tree = ast.parse(text).body
    (function,) = (n for n in tree if isinstance(n, ast.FunctionDef) and n.name == name)
    parts = [*function.decorator_list, function]
    tables = {n.id for p in parts for n in ast.walk(p) if isinstance(n, ast.Name)}
    parts += [
        n
        for n in tree
        if isinstance(n, ast.Assign)
        and tables & {t.id for t in ast.walk(n.targets[0]) if isinstance(t, ast.Name)}
    ]
    return "\n".join(
        node.value
        for part in parts
        for node in ast.walk(part)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ).replace("\\", "")


def has_two_words_of(message, source):
    """Whether two words in a row, or all between two gaps, stand in the source."""
    for fragment in message.split(messages.GAP):
        words = re.sub(r"^\W+|\W+$", "", fragment).split(" ")
        runs = [words[i : i + 2] for i in range(max(1, len(words) - 1))]
        if any(len(" ".join(run)) >= 8 and " ".join(run) in source for run in runs):
            return True
    return False


def test_it_is_no_proof_to_name_another_test():
    other = source_of("tests/test_conversion.py::test_an_asymmetric_model_is_refused")
    assert has_two_words_of("Layer '…' already has a feedback rule: …", other)
    assert not has_two_words_of("Argument `alpha` must be above 0", other)
