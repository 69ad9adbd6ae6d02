"""Names that are nearly right: the same but for case, or a slip of the keyboard."""

import difflib
import re
from collections.abc import Iterable

_MOST = 3  # near names in one message
# Of difflib's ratio: one wrong letter in three, 'rnu' for 'run', is near.
_LEAST = 0.66


def cased(name: str, known: Iterable[str]) -> str:
    """The one known name that differs from a name in case only, else the name itself.

    >>> cased("c2", ["C1", "C2"]), cased("c3", ["C1", "C2"])
    ('C2', 'c3')
    """
    known = list(dict.fromkeys(known))
    same = [each for each in known if each.casefold() == name.casefold()]
    return same[0] if len(same) == 1 and name not in known else name


def near(name: str, known: Iterable[str]) -> list[str]:
    """The known names that a user is likely to have meant, at most three; often none.

    Names are near if they differ in case and punctuation only; if not, those that the
    name begins; if there are none, those whose spelling is most alike.

    >>> near("mnist5k", ["mnist", "mnist_5k"]), near("uSF+BM+BN", ["uSF", "uSF+BN+BM"])
    (['mnist_5k'], ['uSF+BN+BM'])
    >>> near("fashion", ["fashion_mnist"]), near("xyz", ["translate"])
    (['fashion_mnist'], [])
    """
    folded = {each: _folded(each) for each in known}
    wanted = _folded(name)
    if not wanted or len(name) > 100:  # difflib's time grows with the square
        return []
    same = [each for each, text in folded.items() if text == wanted]
    begun = [each for each, text in folded.items() if text.startswith(wanted)]
    if found := same or begun:
        return found if len(found) <= _MOST else []
    ratios = {
        each: difflib.SequenceMatcher(None, wanted, text).ratio()
        for each, text in folded.items()
    }
    best = max(ratios.values(), default=0)
    if best < _LEAST:
        return []
    return [each for each, ratio in ratios.items() if ratio == best][:_MOST]


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A question for the near names; empty without any.

    >>> did_you_mean("usf", ["uSF", "NuSF"])
    "did you mean 'uSF'?"
    """
    names = [f"'{each}'" for each in near(name, known)]
    return f"did you mean {' or '.join(names)}?" if names else ""


def _folded(name):
    return re.sub(r"[\W_]", "", name.casefold())
