"""The layouts of the real releases: lists, names, numbers, archives put in by hand."""

import collections
import io
import pathlib
import tarfile
import types

import pytest
import scipy.io
import tensorflow_datasets as tfds

from keras_asymbp.benchmarks import datasets
from keras_asymbp.benchmarks.datasets import download, reading
from keras_asymbp.benchmarks.datasets.builders import indoor67
from keras_asymbp.benchmarks.datasets.subset import draw
from keras_asymbp.benchmarks.errors import UsageError

RELEASES = pathlib.Path(__file__).parent / "releases"


@pytest.fixture
def prepare(tmp_path, monkeypatch):
    """Prepares a data set from files in the folder of manual downloads, offline."""
    import requests

    def refuse(*arguments, **options):
        raise AssertionError("the network was asked")

    monkeypatch.setattr(requests.Session, "send", refuse)
    tfds.disable_progress_bar()

    def prepare(name, files):
        manual = tmp_path / "data" / "downloads" / "manual"
        manual.mkdir(parents=True)
        for file, content in files.items():
            (manual / file).write_bytes(content)
        source = download.origin(datasets.get(name))
        download.download(source, str(tmp_path / "data"))
        return source.folder(str(tmp_path / "data"))

    return prepare


def archive(contents, mode="w"):
    """A tar archive of files with their contents."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode=mode) as tar:
        for name, content in contents.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def indoor67_lists():
    return {
        split: (RELEASES / f"indoor67_{split}Images.txt").read_text().splitlines()
        for split in ("Train", "Test")
    }


def test_the_lists_of_indoor67_from_archives_at_hand(prepare, image):
    lists = indoor67_lists()
    names = [name for split in lists.values() for name in split]
    assert sum(" " in name for name in names) == 6
    assert sum(name.endswith("_gif.jpg") for name in names) == 18
    jpeg, gif = image("JPEG"), image("GIF", "P")
    images = {
        f"Images/{name}": gif if name.endswith("_gif.jpg") else jpeg for name in names
    }
    folder = prepare(
        "scene67",
        {
            "indoorCVPR_09.tar": archive(images),
            "TrainImages.txt": "\r\n".join(lists["Train"]).encode(),
            "TestImages.txt": "\n".join(lists["Test"]).encode(),
        },
    )
    for split, listed in lists.items():
        labels = [
            indoor67.CLASSES[label]
            for (label,) in reading.examples(folder, split.lower(), ("label",))
        ]
        assert sorted(labels) == sorted(name.split("/")[0] for name in listed)
        assert set(labels) == set(indoor67.CLASSES)


def test_caltech256_from_an_archive_at_hand(prepare, image):
    jpeg = image("JPEG")
    root = "256_ObjectCategories"
    folder = prepare(
        "caltech256_101",
        {
            f"{root}.tar": archive(
                {
                    f"{root}/198.spider/198_0001.jpg": jpeg,
                    f"{root}/198.spider/RENAME2": b"mv a b",
                    f"{root}/056.dog/056_0001.jpg": jpeg,
                    f"{root}/056.dog/greg/vision309/056_0002.jpg": jpeg,
                }
            )
        },
    )
    labels = [label for (label,) in reading.examples(folder, "train", ("label",))]
    assert sorted(labels) == [55, 197]


def test_flowers17_from_archives_at_hand(prepare, image):
    splits = io.BytesIO()
    scipy.io.savemat(splits, {"trn1": [[1, 81]], "val1": [[2]], "tst1": [[1360]]})
    images = {f"jpg/image_{n:04d}.jpg": image("JPEG") for n in (1, 2, 81, 1360)}
    folder = prepare(
        "flowers17",
        {"17flowers.tgz": archive(images, "w:gz"), "datasplits.mat": splits.getvalue()},
    )
    labels = [label for (label,) in reading.examples(folder, "test", ("label",))]
    assert labels == [16]


def test_an_archive_that_replaces_another_is_unpacked_again(prepare, image, tmp_path):
    name = "256_ObjectCategories.tar"
    with pytest.raises(UsageError, match="expected folders of images"):
        prepare("caltech256_101", {name: archive({"another/file.txt": b"x"})})
    path = tmp_path / "data" / "downloads" / "manual" / name
    path.write_bytes(archive({"256_ObjectCategories/001.ak47/1.jpg": image("JPEG")}))
    source = download.origin(datasets.get("caltech256_101"))
    download.download(source, str(tmp_path / "data"))
    assert source.folder(str(tmp_path / "data")).is_dir()


def test_the_matlab_files_of_flowers102(tmp_path):
    """The builder of TFDS makes of them the numbers of the paper's row."""
    files = {
        "images": tmp_path,
        "labels": RELEASES / "flowers102_imagelabels.mat",
        "setid": RELEASES / "flowers102_setid.mat",
    }
    manager = types.SimpleNamespace(download_and_extract=lambda urls: files)
    builder = tfds.builder("oxford_flowers102", data_dir=tmp_path)
    labels = {}
    for split in builder._split_generators(manager):
        examples = builder._generate_examples(**split.gen_kwargs)
        labels[split.name] = [example["label"] for _, example in examples]
    dataset = datasets.get("flowers102")
    counts = len(labels[dataset.source.train]), len(labels[dataset.source.test])
    assert dataset.counts == counts
    per_class = collections.Counter(labels[dataset.source.train])
    assert per_class == dict.fromkeys(range(dataset.num_classes), 10)
    assert set(labels[dataset.source.test]) == set(range(dataset.num_classes))


def counts(file):
    lines = (RELEASES / file).read_text().splitlines()
    return [list(map(int, line.split())) for line in lines if not line.startswith("#")]


@pytest.mark.parametrize("name", ["pubfig83_id", "lfw_id"])
def test_people_with_few_images_are_not_drawn(name):
    """From the real numbers of images, the draw has the paper's numbers."""
    if name == "pubfig83_id":
        images = [count for (count,) in counts("pubfig83_counts.txt")]
        assert (len(images), sum(images)) == (83, 13_838)
    else:
        pairs = counts("lfw_counts.txt")
        images = [count for count, people in pairs for _ in range(people)]
        assert (len(images), sum(images)) == (5_749, 13_233)
    people = [f"Person {n:04d}" for n, count in enumerate(images) for _ in range(count)]
    digests = [b"%d" % n for n in range(len(people))]
    dataset = datasets.get(name)
    source = dataset.source
    drawn = draw(people, digests, source.classes, source.train, source.test, seed=0)
    assert (len(drawn.train), len(drawn.test)) == dataset.counts
    of_test = collections.Counter(people[position] for position in drawn.test)
    assert set(of_test.values()) == {source.test}


def test_names_with_spaces_in_pubfig83(prepare, image):
    files = {
        f"pubfig83/{person}/{n}.jpg": image("JPEG")
        for person in ("Adam Sandler", "Beyonce Knowles")
        for n in range(2)
    }
    folder = prepare("pubfig83_id", {"pubfig83.v1.tgz": archive(files, "w:gz")})
    labels = [label for (label,) in reading.examples(folder, "train", ("label",))]
    assert sorted(labels) == [b"Adam Sandler"] * 2 + [b"Beyonce Knowles"] * 2
