from keras_asymbp import feedbacks
from keras_asymbp.benchmarks.tables.rules import Rule, rules


def test_the_files_name_the_rules_that_feedbacks_knows():
    known = dict(rules())
    assert known.pop("DFA") == known.pop("DRTP") == Rule()
    aliases = set(feedbacks.ALIASES)
    assert aliases <= set(known)
    for name, rule in known.items():
        assert rule == Rule(
            flips=isinstance(feedbacks.get(name), feedbacks.RandomSignConcordant),
            scales=isinstance(feedbacks.get(name), feedbacks.SignConcordant),
        )
