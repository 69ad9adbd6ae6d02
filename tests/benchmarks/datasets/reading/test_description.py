import json

import pytest

from keras_asymbp.benchmarks.datasets.reading import description
from keras_asymbp.benchmarks.errors import UsageError


@pytest.fixture
def describe(tmp_path):
    """Writes what TFDS writes about features and supervised keys."""

    def describe(features, keys=()):
        items = [{"featureKey": key} for key in keys]
        info = {"supervisedKeys": {"tuple": {"items": items}}} if keys else {}
        (tmp_path / "dataset_info.json").write_text(json.dumps(info))
        features = {"featuresDict": {"features": features}}
        (tmp_path / "features.json").write_text(json.dumps(features))
        return tmp_path

    return describe


IMAGE = {"image": {"dtype": "uint8", "shape": {"dimensions": ["28", "-1", "3"]}}}
LABEL = {"classLabel": {"numClasses": "3"}}


def test_what_tfds_writes(kinds):
    assert description.info(kinds)["name"] == "kinds"
    assert list(description.splits(kinds)) == ["train", "test"]
    features = description.features(kinds)
    found = {key: description.kind(feature) for key, feature in features.items()}
    assert found == {
        **{"png": "image", "jpeg": "image", "label": "classLabel", "text": "text"},
        **dict.fromkeys(("vector", "table", "zipped", "open"), "tensor"),
        "many": None,
    }
    assert description.shape(features["jpeg"]) == (-1, -1, 3)
    assert description.shape(features["table"]) == (2, 3)
    assert description.supervised_keys(kinds) == ("jpeg", "label")
    assert description.class_names(kinds, "label") == ["cat", "Dog"]


def test_tfds_has_the_same_class_names(kinds):
    tfds = pytest.importorskip("tensorflow_datasets")
    names = tfds.builder_from_directory(kinds).info.features["label"].names
    assert description.class_names(kinds, "label") == names


@pytest.mark.parametrize("keys", [("x", "y"), ("y", "x")])
@pytest.mark.parametrize("label", [LABEL, {"text": {}}])
def test_labels_are_recognized_in_either_order(keys, label, describe):
    folder = describe({"x": IMAGE, "y": label}, keys)
    assert description.supervised_keys(folder) == ("x", "y")


def test_classes_without_names_have_numbers(describe):
    assert description.class_names(describe({"y": LABEL}), "y") == ["0", "1", "2"]


@pytest.mark.parametrize(
    ("features", "keys"),
    [
        ({"x": IMAGE, "y": LABEL}, ()),
        ({"x": IMAGE, "y": IMAGE}, ("x", "y")),
        ({"x": IMAGE, "y": {"sequence": {}}}, ("x", "y")),
    ],
)
def test_no_inputs_and_labels(features, keys, describe):
    with pytest.raises(UsageError, match="has no supervised keys: inputs"):
        description.supervised_keys(describe(features, keys))


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("dataset_info.json", "{"),
        ("dataset_info.json", "[1]"),
        ("dataset_info.json", '{"supervisedKeys": 5}'),
        ("dataset_info.json", '{"supervisedKeys": {"tuple": {"items": [{}]}}}'),
        ("features.json", "\0"),
        ("features.json", "{}"),
        ("features.json", '{"featuresDict": {"features": 5}}'),
        (
            "features.json",
            '{"featuresDict": {"features": {"x": {"image": {"shape": '
            '{"dimensions": ["0", "4", "3"]}}}}}}',
        ),
    ],
)
def test_damaged_files_are_named(file, content, describe):
    folder = describe({"x": IMAGE, "y": LABEL}, ("x", "y"))
    (folder / file).write_text(content)
    words = rf"^can't read {folder / file} \([^\n]+\): delete its folder"
    with pytest.raises(UsageError, match=words):
        description.supervised_keys(folder)


@pytest.mark.parametrize("splits", ["5", "[5]", '[{"shardLengths": []}]'])
def test_damaged_splits(splits, tmp_path):
    (tmp_path / "dataset_info.json").write_text(f'{{"splits": {splits}}}')
    with pytest.raises(UsageError, match=r"can't read .*dataset_info.json \("):
        description.splits(tmp_path)
