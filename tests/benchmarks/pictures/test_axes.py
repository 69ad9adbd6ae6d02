import io

import pytest

from keras_asymbp.benchmarks.pictures import axes


@pytest.mark.parametrize(("count", "shape"), [(1, (1, 1)), (3, (1, 3)), (5, (2, 3))])
def test_a_grid_has_as_many_panels_as_asked(count, shape):
    figure, panels = axes.grid(count)
    assert len(panels) == len(figure.axes) == count
    grid = panels[0].get_gridspec()
    assert (grid.nrows, grid.ncols) == shape


def test_a_logarithmic_axis_has_readable_ticks_and_an_error_of_0():
    figure, (panel,) = axes.grid(1)
    axes.make_logarithmic(panel, of_x=True)
    panel.plot([axes.clipped(0.0), 90.0], [axes.clipped(50.0), 1.0])
    figure.savefig(io.BytesIO())
    assert (panel.get_xscale(), panel.get_yscale()) == ("log", "log")
    ticks = [label.get_text() for label in panel.get_xticklabels()]
    assert ticks == ["0.5", "1", "2", "5", "10", "20", "50", "100"]
    assert axes.clipped(0.0) > 0
    assert axes.clipped(50.0) == 50
