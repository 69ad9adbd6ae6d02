import pytest

from keras_asymbp.benchmarks.reports import rendering


def test_a_script_cannot_end_its_element(tmp_path, monkeypatch):
    monkeypatch.setattr(rendering, "STATIC", tmp_path)
    for text in ("'</SCRIPT>'", "a<!--b", "</style >"):
        (tmp_path / "x").write_text(text)
        with pytest.raises(ValueError, match="end of an element"):
            rendering.static("x")
