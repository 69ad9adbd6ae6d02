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
