"""The notebooks of docs/examples/ run, and are stored with their outputs."""

import json
import os
import pathlib
import re

import pytest

EXAMPLES = pathlib.Path(__file__).resolve().parents[1] / "docs" / "examples"
NOTEBOOKS = sorted(path.name for path in EXAMPLES.glob("*.ipynb"))
# Figures may differ between machines, and times do.
FIGURE = re.compile(r"\s*-?\d[\d.,]*(e[+-]?\d+)?([mu]?s\b)?")


def outputs(notebook):
    """The kinds of a notebook's outputs, and their text without its figures."""
    return [
        [
            (sorted(output.get("data", ())), FIGURE.sub("#", _text(output)))
            for output in cell["outputs"]
        ]
        for cell in notebook["cells"]
        if cell["cell_type"] == "code"
    ]


def _text(output):
    text = output.get("text") or output["data"].get("text/plain", "")
    return "".join(text)


@pytest.mark.slow
@pytest.mark.parametrize("name", NOTEBOOKS)
def test_its_outputs_are_those_stored(name, extension, tmp_path, monkeypatch):
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    notebook = extension("run_notebooks").run(EXAMPLES / name, tmp_path)
    if "KERAS_ASYMBP_TEST_DATA" not in os.environ:
        stored = json.loads((EXAMPLES / name).read_text(encoding="utf-8"))
        assert outputs(notebook) == outputs(stored), (
            f"store them: python docs/ext/run_notebooks.py {name[:-6]}"
        )


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_it_is_stored_with_its_outputs(name):
    notebook = json.loads((EXAMPLES / name).read_text(encoding="utf-8"))
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in cells] == [*range(1, len(cells) + 1)], (
        f"store the outputs: python docs/ext/run_notebooks.py {name[:-6]}"
    )
    assert any(cell["outputs"] for cell in cells)
    # Addresses and machines' paths are in no output.
    assert not re.search(r"0x[0-9a-f]{6}|/home/|/tmp/|/root/", str(outputs(notebook)))


def test_there_are_notebooks():
    assert len(NOTEBOOKS) >= 5
