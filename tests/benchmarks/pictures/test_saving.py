import pytest
from matplotlib.figure import Figure

from keras_asymbp.benchmarks.pictures import saving


def test_equal_figures_make_equal_files(tmp_path):
    for folder in ("one", "other"):
        figure = Figure()
        figure.subplots().plot([1, 2], [3, 4], label="a")
        figure.legend()
        saving.save(figure, tmp_path / folder, "name")
    one, other = (
        {path.name: path.read_bytes() for path in (tmp_path / folder).iterdir()}
        for folder in ("one", "other")
    )
    assert one == other
    assert sorted(one) == ["name.png", "name.svg"]
    assert b"<svg" in one["name.svg"]
    assert one["name.png"].startswith(b"\x89PNG")


def test_a_picture_that_breaks_off_leaves_the_old_one(tmp_path, monkeypatch):
    saving.save(Figure(), tmp_path, "name")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    savefig = Figure.savefig

    def interrupted(figure, file, **options):
        savefig(figure, file, **options)
        raise KeyboardInterrupt

    monkeypatch.setattr(Figure, "savefig", interrupted)
    figure = Figure()
    figure.text(0.5, 0.5, "new")
    with pytest.raises(KeyboardInterrupt):
        saving.save(figure, tmp_path, "name")
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before
