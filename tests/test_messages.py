"""Every error and warning has an entry, and the test that it names raises it."""

import ast
import collections
import importlib.util
import json
import pathlib
import subprocess
import sys
import threading

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


@pytest.mark.slow
def test_the_named_tests_execute_the_lines_that_make_the_messages(run_python, tmp_path):
    """Runs the named tests, except those that start another process."""
    tests = sorted({entry["test"] for *_, entry in ENTRIES})
    run_python(
        f"""
import sys
sys.path.insert(0, {str(ROOT / "tests")!r})
import test_messages
test_messages.record({tests!r}, {str(tmp_path / "lines.json")!r})
""",
        cwd=ROOT,
    )
    executed = json.loads((tmp_path / "lines.json").read_text(encoding="utf-8"))
    watched = [entry for entry in ENTRIES if entry[3]["test"] in executed]
    assert len(watched) > 0.8 * len(ENTRIES)
    places = messages.collect()
    unmade = [
        (message, entry["test"])
        for _, kind, message, entry in watched
        if not any(
            first <= line <= last
            for file, first, last in places[kind, message]
            for line in executed[entry["test"]].get(file, ())
        )
    ]
    assert unmade == []


def record(tests, path):
    """Runs tests in this process and writes which lines of the package they execute."""
    recorder = Recorder()
    code = pytest.main(["-q", "-p", "no:cacheprovider", *tests], plugins=[recorder])
    executed = {
        test: {file: sorted(lines) for file, lines in recorder.executed[test].items()}
        for test in recorder.ran
    }
    pathlib.Path(path).write_text(json.dumps(executed), encoding="utf-8")
    sys.exit(code)


class Recorder:
    """A plugin of pytest that records executed lines, and skips at another process.

    Attributes:
        executed: For each test, all its parameters together: lines by file.
        ran: The tests that were not skipped.
    """

    def __init__(self):
        self.executed = collections.defaultdict(lambda: collections.defaultdict(set))
        self.ran = set()
        self._lines = None
        files = {place[0] for places in messages.collect().values() for place in places}
        self._files = {str(ROOT / file): file for file in files}

    def pytest_sessionstart(self):
        def skip(*arguments, **options):
            pytest.skip("lines of another process are not recorded")

        subprocess.Popen.__init__ = skip

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_protocol(self, item):
        self._lines = self.executed[_name(item.nodeid)]
        threading.settrace(self._trace)
        sys.settrace(self._trace)
        yield
        sys.settrace(None)
        threading.settrace(None)

    def pytest_runtest_logreport(self, report):
        if report.when == "call" and not report.skipped:
            self.ran.add(_name(report.nodeid))

    def _trace(self, frame, event, argument):
        file = self._files.get(frame.f_code.co_filename)
        if file is None:
            return None
        lines = self._lines[file]

        def trace_line(frame, event, argument):
            lines.add(frame.f_lineno)
            return trace_line

        return trace_line


def _name(nodeid):
    return nodeid.partition("[")[0]
