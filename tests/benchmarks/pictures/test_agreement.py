import io

import pytest

from keras_asymbp.benchmarks.pictures import agreement
from keras_asymbp.benchmarks.results.agreement import Agreement

PLACE = "Table 3, left of the paper"


def points(panel):
    """The points of a panel, without the diagonal and the lines between seeds."""
    return [
        (line.get_xdata().item(), line.get_ydata().item())
        for line in panel.lines
        if len(line.get_xdata()) == 1
    ]


def test_a_point_is_the_papers_error_and_the_mean_of_ours(make_row):
    errors = {"SGD": {0: 2.0, 1: 4.0}, "brSF-100+BN+BM": {0: 60.0, 1: 40.0}}
    row = make_row("B1", errors)
    found = Agreement(PLACE, 2, 0.5, 0.25, 0.75)
    figure = agreement.draw([row], [found])
    figure.savefig(io.BytesIO())
    (panel,) = figure.axes
    # The paper's figures on MNIST in Table 3.
    assert points(panel) == [(0.67, pytest.approx(3.0)), (7.87, pytest.approx(50.0))]
    between = [
        [*line.get_ydata()] for line in panel.lines[1:] if len(line.get_xdata()) == 2
    ]
    assert between == [pytest.approx([2.0, 4.0]), pytest.approx([40.0, 60.0])]
    assert panel.get_title() == f"{PLACE}\nrank correlation 0.50 (0.25 to 0.75)"


@pytest.mark.parametrize(
    ("found", "ending"),
    [
        ([], ""),
        ([Agreement(PLACE, 3, None, None, None)], ""),
        ([Agreement(PLACE, 3, -0.5, None, None)], "\nrank correlation -0.50"),
    ],
)
def test_a_title_has_the_correlation_as_far_as_it_is_known(found, ending, make_row):
    figure = agreement.draw([make_row("B1", {"SGD": {0: 2.0}})], found)
    assert figure.axes[0].get_title() == PLACE + ending


def test_no_figure_without_a_printed_error(make_row):
    assert agreement.draw([make_row("B1", {})], []) is None
    assert agreement.draw([], []) is None
