import importlib
import sys

import pytest

from keras_asymbp._discover import public_classes


@pytest.fixture
def package(tmp_path, monkeypatch):
    folder = tmp_path / "shapes_for_discovery"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "base.py").write_text("class Shape: ...")
    (folder / "b_square.py").write_text(
        "from shapes_for_discovery.base import Shape\n"
        "from shapes_for_discovery_elsewhere import Foreign\n"  # not its own
        "class Square(Shape): ...\n"
        "class _Helper(Shape): ...\n"
        "class Stranger: ...\n"
        "also_square = Square()\n"
    )
    (folder / "a_circle.py").write_text(
        "from shapes_for_discovery.base import Shape\n"
        "class Circle(Shape): ...\n"
        "class Ellipse(Circle): ...\n"
    )
    (tmp_path / "shapes_for_discovery_elsewhere.py").write_text(
        "from shapes_for_discovery.base import Shape\nclass Foreign(Shape): ...\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("shapes_for_discovery")
    for name in [n for n in sys.modules if n.startswith("shapes_for_discovery")]:
        del sys.modules[name]


def test_public_subclasses_in_the_order_of_files(package):
    base = importlib.import_module("shapes_for_discovery.base").Shape
    classes = public_classes(package.__name__, package.__path__, base)
    assert list(classes) == ["Circle", "Ellipse", "Square"]
    for name, value in classes.items():
        assert issubclass(value, base)
        assert value.__name__ == name


def test_a_new_file_is_found(package):
    base = importlib.import_module("shapes_for_discovery.base").Shape
    with open(f"{package.__path__[0]}/c_line.py", "w") as file:
        file.write("from shapes_for_discovery.base import Shape\n")
        file.write("class Line(Shape): ...\n")
    importlib.invalidate_caches()
    classes = public_classes(package.__name__, package.__path__, base)
    assert "Line" in classes
