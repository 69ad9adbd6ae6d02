import io

from keras_asymbp.benchmarks.pictures import signs

B1 = {
    "SGD": {0: 2.0, 1: 3.0},
    "brSF-100+BN+BM": {0: 60.0, 1: 70.0},
    "brSF-25+BN+BM": {0: 4.0, 1: 6.0},
}


def test_our_curve_is_the_mean_of_the_seeds_beside_the_papers(make_row):
    figure = signs.draw([make_row("B1", B1), make_row("A", {"SGD": {0: 2.0}})])
    figure.savefig(io.BytesIO())
    (panel,) = figure.axes
    assert panel.get_title() == "B1: signs drawn for each batch"
    curves = {line.get_label(): line.get_xydata().tolist() for line in panel.lines}
    assert curves["ours"] == [[100, 65], [25, 5]]
    # Table 3 on MNIST.
    assert [p for p, _ in curves["the paper"]] == [100, 75, 50, 25, 0]
    assert curves["the paper"][0] == [100, 7.87]
    seeds = [line.get_ydata() for line in panel.lines if line.get_marker() == "."]
    assert [[*ys] for ys in seeds] == [[60, 70], [4, 6]]
    baselines = [
        line.get_ydata()[0] for line in panel.lines if len(line.get_xdata()) == 2
    ]
    assert 2.5 in baselines
    assert 0.67 in baselines


def test_errors_have_a_logarithmic_axis_that_shows_no_error_at_all(make_row):
    none = {"SGD": {0: 0.0}, "brSF-25+BN+BM": {0: 0.0}}
    (panel,) = signs.draw([make_row("B1", none)]).axes
    assert panel.get_yscale() == "log"
    least = min(min(line.get_ydata()) for line in panel.lines)
    assert 0 < least < 0.67


def test_no_figure_without_an_error_at_any_share(make_row):
    assert signs.draw([make_row("B1", {"SGD": {0: 2.0}})]) is None
    assert signs.draw([make_row("A", {"SGD": {0: 2.0}})]) is None
