import io

from keras_asymbp.benchmarks.pictures import forest
from keras_asymbp.benchmarks.results import checks, verdicts
from keras_asymbp.benchmarks.results.claims import Claim
from keras_asymbp.benchmarks.results.verdicts import FAILS, HOLDS, UNDECIDED, Finding

BETTER, ALIKE = checks.better("a", "b"), checks.alike("a", "b")


def evidence(check, effect, low, high, adjusted=0.01, towards=HOLDS):
    return verdicts.Tested(
        *(check, (0,), 1.0, effect, low, high, 0.01, adjusted, towards),
        *((1, 2), (1, 2)),
    )


def finding(name, *tests):
    return Finding(Claim(name, "", "", ()), {}, tests, (1, 2))


def test_a_line_for_each_inequality_with_its_verdict_and_limits():
    figure = forest.draw(
        [
            finding("one", evidence(BETTER, 2.0, 1.5, 3.0)),
            finding("none"),
            finding(
                "two",
                evidence(ALIKE, 0.5, -2.0, 3.0, adjusted=0.5),
                evidence(ALIKE, -99.0, -100.0, -98.0, towards=FAILS),
            ),
        ]
    )
    figure.savefig(io.BytesIO())
    panel = figure.axes[0]
    labels = [label.get_text() for label in panel.get_yticklabels()]
    assert labels == ["b - a", "a - b", "a - b"]
    # Lines of two points at one height, not those between claims or at 0.
    intervals = [
        line
        for line in panel.lines
        if len({y for _, y in line.get_xydata()} & {0, 1, 2}) == 1
        and len(line.get_xydata()) == 2
        and line.get_linewidth() > 1
    ]
    assert [[x for x, _ in line.get_xydata()] for line in intervals[:2]] == [
        [1.5, 3.0],
        [-2.0, 3.0],
    ]
    assert [line.get_color() for line in intervals] == [
        forest.COLORS[verdict] for verdict in (HOLDS, UNDECIDED, FAILS)
    ]
    # Effects beyond the axis are drawn at its end.
    low, high = panel.get_xlim()
    assert all(low < x < high for x, _ in intervals[2].get_xydata())
    (names,) = panel.child_axes
    assert [label.get_text() for label in names.get_yticklabels()] == ["one", "two"]
    regions = [area.get_paths()[0].get_extents() for area in panel.collections]
    assert (regions[0].x0, regions[0].x1) == (1, high)
    assert (regions[1].x0, regions[1].x1) == (-1, 1)


def test_no_figure_without_a_tested_inequality():
    assert forest.draw([finding("one")]) is None
