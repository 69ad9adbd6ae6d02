from benchmarks.speed import start_up


def test_modules_of_tensorflow_are_counted(tmp_path, monkeypatch):
    package = tmp_path / "tensorflow"
    package.mkdir()
    package.joinpath("__init__.py").write_text("import tensorflow.part\n")
    package.joinpath("part.py").touch()
    tmp_path.joinpath("tensorflow_other.py").touch()
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert start_up.tensorflow_modules("-c", "import tensorflow_other") == 0
    assert start_up.tensorflow_modules("-c", "import tensorflow") == 2
