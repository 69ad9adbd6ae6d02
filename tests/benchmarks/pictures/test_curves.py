import io

from keras_asymbp.benchmarks.pictures import curves
from keras_asymbp.benchmarks.pictures.looks import COLORS


def test_a_line_for_each_model_and_seed(make_row):
    row = make_row("C2", {"SGD": {0: 2.0, 1: 3.0}, "RndF Bottom": {0: 0.0}})
    figure = curves.draw([row, make_row("B1", {})])
    figure.savefig(io.BytesIO())
    (panel,) = figure.axes
    assert panel.get_title() == "C2"
    first, second, bottom = panel.lines
    assert [*first.get_xdata()] == [1, 2, 3, 4, 5, 6]
    assert [line.get_ydata()[-1] for line in (first, second)] == [2, 3]
    assert first.get_linewidth() > second.get_linewidth()
    assert (first.get_color(), first.get_linestyle()) == ((COLORS["BP"], 1), "-")
    assert (bottom.get_color(), bottom.get_linestyle()) == ((COLORS["RndF"], 1), "--")
    assert second.get_color()[1] < 1
    assert min(bottom.get_ydata()) > 0  # an error of 0 on a logarithmic axis


def test_no_figure_without_a_trial(make_row):
    assert curves.draw([make_row("C2", {})]) is None


def test_a_shade_is_that_of_the_legend(make_row):
    figure = curves.draw([make_row("B1", {"brSF-50+BN+BM": {0: 2.0, 1: 3.0}})])
    first, second = figure.axes[0].lines
    assert first.get_markerfacecolor() == (COLORS["brSF"], 0.5)
    alpha = second.get_color()[1]
    assert second.get_markerfacecolor() == (COLORS["brSF"], alpha / 2)
    assert (first.get_alpha(), second.get_alpha()) == (None, None)
