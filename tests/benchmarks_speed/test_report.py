import json

import pytest

from benchmarks import measurements
from benchmarks.speed import report
from keras_asymbp.benchmarks.errors import UsageError

RECORD = {
    "command": "python -m benchmarks.speed --question step_time",
    "date": "2026-01-02T03:04:05+00:00",
    "device": "cpu",
    "load": 0.25,
    "machine": {"processor": "Some CPU", "cores": 4, "threads": 2, "onednn": "1"},
    "versions": {"keras": "3.15"},
    "rows": [
        {
            "question": "step_time",
            "title": "Step time",
            "case": "mnist",
            "name": "uSF",
            "figure": 1.05,
            "figure_cpu": 1.01,
            "low": 0.9,
            "high": 1.2,
            "unit": "x stock Keras",
            "goal": 1.03,
            "sense": "at most",
            "rounds": 7,
            "others": 0.5,
        },
        {
            "question": "step_time",
            "title": "Step time",
            "case": "mnist",
            "name": "stock",
            "figure": 0.0125,
            "unit": "s a step",
        },
        {
            "question": "biotorch",
            "title": "BioTorch",
            "case": "mnist",
            "name": "uSF",
            "figure": 1.5,
            "unit": "x ours",
            "goal": 1.25,
            "sense": "at least",
            "note": "noted",
        },
    ],
}


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "figures.json"
    file.write_text(json.dumps(RECORD))
    return file


def test_tables_are_made_from_the_file(path):
    text = report.tables([measurements.read(path)])
    first, second = text.split("\n\n## BioTorch\n")
    assert first.startswith("## Step time\n\n`python -m benchmarks.speed --question")
    for part in (first, second):
        for said in ("2026-01-02", "Some CPU", "4 cores", "2 threads", "load 0.25"):
            assert said in part
    assert (
        "| mnist | uSF | 1.050 x stock Keras | 1.010 | 0.900 to 1.200 | at most 1.03 "
        "| **no** | 7 | 0.500 | |" in first
    )
    assert "| mnist | stock | 0.0125 s a step | | | | | | | |" in first
    assert (
        "| mnist | uSF | 1.500 x ours | | | at least 1.25 | yes | | | noted |" in second
    )


def test_every_line_of_a_table_has_as_many_cells():
    lines = report.table(RECORD["rows"]).splitlines()
    assert {line.count("|") for line in lines} == {11}


def test_a_picture_is_drawn(path, tmp_path):
    from benchmarks.speed import picture

    points = [
        {
            "question": "growth",
            "title": "Growth",
            "case": "width",
            "name": kind,
            "figure": size / 1000,
            "unit": "s a step",
            "size": size,
        }
        for kind in ("stock Keras", "uSF")
        for size in (1, 2)
    ]
    slopes = [
        {**entry, "name": f"{entry['name']}, slope", "figure": 1.0}
        for entry in points[::2]
    ]
    for entry in slopes:
        del entry["size"]
    other = RECORD | {"rows": points + slopes}
    drawn = [tmp_path / name for name in ("a.svg", "b.svg")]
    for file in drawn:
        picture.draw([measurements.read(path), other], file)
        text = file.read_text()
        for said in ("Step time", "BioTorch", "Growth: width", "uSF: slope 1.00"):
            assert f"<!-- {said} -->" in text


def test_nothing_to_draw_is_said(tmp_path):
    from benchmarks.speed import picture

    with pytest.raises(UsageError, match="nothing to draw"):
        picture.draw([RECORD | {"rows": []}], tmp_path / "a.png")
