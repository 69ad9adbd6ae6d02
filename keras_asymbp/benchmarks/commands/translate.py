"""Translates options of BioTorch and of sign-symmetry.

    keras-asymbp translate usf.yaml
    keras-asymbp translate -- train.py --algo sign_symmetry --arch alexnet imagenet

Reads a configuration file of BioTorch, or the command line of sign-symmetry's train.py
(after --, in quotes, or in a file). Prints our command, the same in Python, and a line
for each option without an exact equivalent. Trains nothing.
"""

from absl import flags

from keras_asymbp.benchmarks.commands import program
from keras_asymbp.benchmarks.peers import reading, translation


class Flags:
    """This command has no flags of its own.

    Args:
        values: Where they would be defined.
    """

    def __init__(self, values: flags.FlagValues = flags.FLAGS):
        # Flags after the first argument are the peer's: train.py --arch alexnet
        values.set_gnu_getopt(False)


def main() -> None:
    """The command; ends the process with its exit code."""
    Flags()
    program.start(
        _run,
        "keras-asymbp translate",
        __doc__,
        arguments="FILE | [--] OPTIONS",
    )


def _run(arguments: list[str]) -> None:
    translated = translation.translate(*reading.read(arguments))
    print(f"Command:\n{translated.command or 'none, see below'}")
    print(f"\nIn Python:\n{translated.python or 'none, see below'}")
    print("\nWithout an exact equivalent:")
    print("\n".join(translated.remarks) or "nothing")


if __name__ == "__main__":
    main()
