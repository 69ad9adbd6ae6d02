import re

import pytest

from keras_asymbp.benchmarks import datasets, networks
from keras_asymbp.benchmarks.commands import listing
from keras_asymbp.benchmarks.errors import UsageError
from keras_asymbp.benchmarks.tables import experiments, readings
from keras_asymbp.benchmarks.tables.protocol import PRESETS


@pytest.mark.parametrize(
    ("topic", "names"),
    [
        ("experiments", experiments.ALL),
        ("experiments", [c.name for e in experiments.ALL.values() for c in e.columns]),
        ("presets", PRESETS),
        ("datasets", datasets.DATASETS),
        ("networks", networks.NETWORKS),
        ("readings", readings.READINGS),
    ],
)
def test_a_topic_has_its_names_in_80_columns(topic, names):
    text = listing.text(topic)
    assert max(map(len, text.splitlines())) <= 80
    listed = re.split(r"[,;]?\s*\n\s*|, |; | \(|  +", text)
    assert set(names) <= set(listed)
    assert text in listing.text()
    others = [listing.text(other) for other in listing.TOPICS if other != topic]
    assert not any(other in text for other in others)


def test_an_unknown_topic_is_refused():
    with pytest.raises(UsageError, match="'nets': did you mean 'networks'"):
        listing.text("nets")
