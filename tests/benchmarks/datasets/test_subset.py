import collections
import dataclasses
import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_asymbp.benchmarks import datasets
from keras_asymbp.benchmarks.datasets.subset import Subset, draw
from keras_asymbp.benchmarks.errors import UsageError
from keras_asymbp.benchmarks.tables import printed


def pool(*sizes):
    """Names and digests of the examples of classes a, b, ... of these sizes."""
    names = [chr(97 + n) for n, size in enumerate(sizes) for _ in range(size)]
    return names, [hashlib.sha256(b"%d" % n).digest() for n in range(len(names))]


def drawn_per_class(names, positions):
    return collections.Counter(names[position] for position in positions)


def test_a_draw_is_balanced_across_classes():
    names, digests = pool(8, 8, 8, 8, 8)
    drawn = draw(names, digests, 3, 5, 2, seed=0)
    assert len(drawn.classes) == 3
    assert list(drawn.classes) == sorted(drawn.classes)
    assert drawn_per_class(names, drawn.train) == dict.fromkeys(drawn.classes, 5)
    assert drawn_per_class(names, drawn.test) == dict.fromkeys(drawn.classes, 2)


def test_small_classes_come_last_with_all_their_examples():
    names, digests = pool(5, 7, 6, 9, 4)
    drawn = draw(names, digests, 3, 5, 2, seed=0)
    assert drawn.classes == ("b", "c", "d")
    assert drawn_per_class(names, drawn.train) == {"b": 5, "c": 5, "d": 5}
    assert drawn_per_class(names, drawn.test) == {"b": 2, "c": 1, "d": 2}


def test_too_few_classes():
    # With 5 for training, a class of 5 has none left to test on.
    with pytest.raises(UsageError, match=r"3 of 5 classes have more than 5 .*4 or"):
        draw(*pool(5, 7, 6, 9, 4), 4, 5, 2, seed=0)


@given(
    sizes=st.lists(st.integers(1, 12), min_size=3, max_size=8),
    seed=st.integers(0, 5),
    data=st.data(),
)
def test_the_order_of_the_examples_does_not_matter(sizes, seed, data):
    names, digests = pool(*sizes)
    order = data.draw(st.permutations(range(len(names))))
    classes = sum(size > 2 for size in sizes)
    if not classes:
        return
    drawn = draw(names, digests, classes, 2, 3, seed)
    other = draw(
        [names[n] for n in order], [digests[n] for n in order], classes, 2, 3, seed
    )
    assert drawn.classes == other.classes
    for split in ("train", "test"):
        assert set(getattr(drawn, split)) == {order[n] for n in getattr(other, split)}
    assert not set(drawn.train) & set(drawn.test)


def test_the_draw_never_changes():
    """Results record only the seed: a changed draw would mix with old results."""
    names, digests = pool(6, 6, 6, 6)
    drawn = draw(names, digests, 2, 2, 1, seed=0)
    ranks = {
        name: hashlib.sha256(b"0:" + name.encode()).digest() for name in set(names)
    }
    assert drawn.classes == tuple(sorted(sorted(ranks, key=ranks.get)[:2]))
    for name in drawn.classes:
        members = [n for n, other in enumerate(names) if other == name]
        members.sort(key=lambda n: hashlib.sha256(b"0:" + digests[n]).digest())
        assert set(members[:2]) <= set(drawn.train)
        assert members[2] in drawn.test


def test_seeds_differ():
    names, digests = pool(*[20] * 20)
    draws = [draw(names, digests, 5, 10, 5, seed) for seed in range(4)]
    assert len({drawn.classes for drawn in draws}) == 4
    assert len({drawn.train for drawn in draws}) == 4


@dataclasses.dataclass(frozen=True)
class Whole:
    """A whole data set, in memory."""

    names: tuple[str, ...]
    reads: list = dataclasses.field(default_factory=list, compare=False)

    def identity(self, splits, data_dir):
        return f"{splits} in {data_dir}"

    def pool(self, splits, data_dir):
        assert splits == "some"
        self.reads.append(data_dir)
        digests = [hashlib.sha256(b"%d" % n).digest() for n in range(len(self.names))]
        return list(self.names), digests

    def inputs_at(self, splits, positions, data_dir):
        assert splits == "some"
        for position in positions:
            yield np.full((1, 2, 2, 3), position, np.uint8)


def test_a_subset_as_a_source():
    names, _ = pool(8, 8, 8)
    subset = Subset(Whole(tuple(names)), "some", classes=2, train=4, test=2, seed=7)
    assert subset.version("x") == "('some',) in x-2x4+2-seed7"
    labels = dict(zip(("train", "test"), subset.labels(None), strict=True))
    _, digests = Whole(tuple(names)).pool("some", None)
    drawn = draw(names, digests, 2, 4, 2, seed=7)
    for split, count in (("train", 8), ("test", 4)):
        images = list(subset.inputs(split, None))
        assert len(images) == len(labels[split]) == count
        for picture, label in zip(images, labels[split], strict=True):
            assert names[picture[0, 0, 0, 0]] == drawn.classes[label]


def test_labels_and_both_splits_are_read_once():
    names, _ = pool(8, 8, 8)
    whole = Whole(tuple(names))
    subset = Subset(whole, "some", classes=2, train=4, test=2, seed=8)

    def use(data_dir):
        subset.labels(data_dir)
        for split in ("train", "test"):
            list(subset.inputs(split, data_dir))

    use("here")
    assert whole.reads == ["here"]
    use("there")  # another folder may have other data
    assert whole.reads == ["here", "there"]
    dataclasses.replace(subset, seed=9).labels("there")
    assert whole.reads == ["here", "there", "there"]


# Section 5: classes, training and test examples of each.
PAPERS = {
    "caltech101": (102, 30, 10),
    "caltech256_101": (102, 30, 10),
    "pubfig83_id": (80, 85, 15),
    "sufr_w_id": (80, 10, 5),
    "lfw_id": (80, 10, 5),
}


@pytest.mark.parametrize("name", PAPERS)
def test_the_papers_subsets(name):
    dataset = datasets.DATASETS[name]
    source = dataset.source
    assert (source.classes, source.train, source.test) == PAPERS[name]
    assert dataset.num_classes == source.classes == printed.CLASSES[dataset.paper]


def test_no_other_data_set_is_a_subset():
    subsets = {n for n, d in datasets.DATASETS.items() if isinstance(d.source, Subset)}
    assert subsets == set(PAPERS)


def test_caltech101_has_the_number_of_test_images_of_the_paper():
    """The paper's errors of Cal101 are multiples of 1 / 949, not of 1 / 1020."""
    # Sizes of the classes of Caltech101 with fewer than 40 images; 87 have more.
    small = [31, 33, 34, 32, 34, 34, 35, 39, 34, 35, 39, 38, 35, 37, 39]
    names, digests = [], []
    for number, size in enumerate(small + [40] * 87):
        names += [f"{number:03}"] * size
        digests += [
            hashlib.sha256(b"%d %d" % (number, n)).digest() for n in range(size)
        ]
    source = datasets.DATASETS["caltech101"].source
    drawn = draw(names, digests, source.classes, source.train, source.test, source.seed)
    assert (len(drawn.train), len(drawn.test)) == (3060, 949)
