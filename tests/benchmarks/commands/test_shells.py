import shutil
import subprocess

import pytest

from keras_asymbp.benchmarks.commands import completion, shells


@pytest.fixture(scope="module")
def complete(tmp_path_factory):
    """What bash offers for the last of some words, as it takes them apart itself."""
    folder = tmp_path_factory.mktemp("completion")
    (folder / "some folder").mkdir()
    (folder / "mine.npz").touch()
    script = shells.bash(completion.commands())

    def complete(*words):
        done = subprocess.run(
            [
                *("bash", "--norc", "-c"),
                f"{script}\n"
                'COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))\n'
                "_keras_asymbp\n"
                'printf "%s\\n" "${COMPREPLY[@]}"',
                *("bash", "keras-asymbp", *words),
            ],
            cwd=folder,
            capture_output=True,
            text=True,
            check=True,
        )
        assert "syntax" not in done.stderr
        return done.stdout.split("\n")[:-1]

    return complete


@pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")
@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["re"], ["report"]),
        (["run", "--ex"], ["--exp=", "--executor="]),
        (["run", "--now"], ["--nowhole_epochs"]),
        (["run", "--exp", "c"], ["C1", "C2"]),
        (["run", "--exp", "=", "c"], ["C1", "C2"]),
        (["run", "--preset", "="], ["smoke", "quick", "paper", "biotorch"]),
        (["run", "--exp=c"], ["--exp=C1", "--exp=C2"]),  # without = in COMP_WORDBREAKS
        (["run", "--exp", "A,c"], ["A,C1", "A,C2"]),
        (["run", "--models", "SGD\\ B"], ["SGD\\ Bottom"]),
        (["run", "--results_dir", "so"], ["some folder"]),
        (["run", "--datasets", "mni"], ["mnist_5k", "mnist"]),
        (["run", "--datasets", "min"], ["mine.npz"]),
        (["run", "--epochs", ""], [""]),
        (["depth", "--networks", "p"], ["plain"]),
        (["completion", ""], ["bash", "zsh", "fish", "--help"]),
        (["translate", "mi"], ["mine.npz"]),
        (["no_such", "--e"], [""]),
    ],
)
def test_bash_completes(words, offered, complete):
    assert complete(*words) == offered


OPTIONS = (
    shells.Option("names", "It's [a]: b; c.", True, ("A B", "it's"), is_list=True),
    shells.Option("folder", "Where. And more.", True, folders=True),
    shells.Option("dry", "Only look."),
)
COMMANDS = [shells.Command("run", "It's: one", OPTIONS, words=("x",))]


def test_the_scripts_of_zsh_and_fish():
    zsh = shells.zsh(COMMANDS)
    assert "'run:It'\"'\"'s: one'" in zsh
    assert "--folder=[Where]:value:_files -/" in zsh
    assert "--dry[Only look]" in zsh
    assert "[It'\"'\"'s \\[a\\]]:value:_sequence compadd - " in zsh
    fish = shells.fish(COMMANDS).splitlines()
    seen = "complete -c keras-asymbp -n '__fish_seen_subcommand_from run'"
    assert f"{seen} -l dry -d 'Only look'" in fish
    assert f"{seen} -l folder -x -a '(__fish_complete_directories)' -d 'Where'" in fish
    assert f"{seen} -a 'x'" in fish


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_the_scripts_can_be_read(shell):
    if not shutil.which(shell):
        pytest.skip(f"needs {shell}")
    script = shells.SCRIPTS[shell](completion.commands())
    subprocess.run([shell, "-n", "/dev/stdin"], input=script, text=True, check=True)
