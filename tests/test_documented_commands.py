"""Every command that the documentation prints runs, in its cheapest form."""

import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys

import numpy as np
import pytest

from benchmarks.gpu import __main__ as gpu

ROOT = pathlib.Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *ROOT.glob("docs/**/*.md"),
    *ROOT.glob("benchmarks/**/README.md"),
]
CONSOLE = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCK = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`((?:python|keras-asymbp|make|pip)\s[^`]+)`")

SUITE = "keras_asymbp.benchmarks"
SUBCOMMANDS = f"{SUITE}.commands.subcommands"
# Flags that make the work of a program small, where it is not the run's `--dry_run`.
SMALL = {
    "benchmarks.cell_cost": ["--networks=mnist", "--rounds=1"],
    "benchmarks.diagnostics_cost": ["--read=benchmarks/results/speed/diagnostics.json"],
    "benchmarks.throughput": ["--part=overhead", "--cells=10", "--rounds=1"],
    "benchmarks.weight_decay": ["--models=SGD", "--epochs=1", "--seeds=0"],
    # Without a GPU nothing is measured, but all flags are checked.
    "benchmarks.speed": ["--device=gpu"],
}
SLOW = set(SMALL)
# Printed without flags, too, where they are only named.
NAMED = {"benchmarks.speed", "benchmarks.throughput"}
# What another test runs, since it needs more: that test, and a word in it.
ELSEWHERE = {
    "benchmarks.jax_step": ("tests/benchmarks_speed/test_jax_step.py", "jax_step"),
    "docs/examples/imagenet/train.py": ("tests/test_imagenet_example.py", "train.py"),
    "docs/examples/two_workers.py": ("tests/test_distribution.py", "two_workers.py"),
    "docs/ext/gallery.py": ("tests/test_gallery.py", "gallery"),
    "docs/ext/run_notebooks.py": ("tests/test_examples.py", "run_notebooks"),
    "keras_asymbp._stubs": ("tests/test_stubs.py", "_stubs.stubs()"),
    "tests/feedbacks/test_largest_signs.py": ("tests/test_docs.py", "largest_signs.py"),
    "tests/layers/test_contract.py": ("tests/test_docs.py", "lSF"),
}
# Programs that are not ours.
FOREIGN = {"docker", "jupyter", "kubectl", "pip", "sbatch", "tensorboard"}
PLACEHOLDERS = {"FILE": "step_time.json", "NAME": "mnist_5k"}

# Runs a module for each line of its input, in a fork of a process that has imported the
# slow libraries, without TensorFlow: a tenth of the time of a new process.
SERVER = """
import json, os, runpy, sys
import absl.app, jinja2, numpy, rich.console, scipy.stats
for line in sys.stdin:
    words, printed = json.loads(line)
    child = os.fork()
    if not child:
        file = os.open(printed, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(file, 1)
        os.dup2(file, 2)
        sys.orig_argv = [sys.executable, "-m", *words]
        sys.argv = ["-m", *words[1:]]
        runpy.run_module(words[0], run_name="__main__", alter_sys=True)
        sys.exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


def documented():
    """The commands of all pages, each once, as lists of words."""
    commands = {}
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        lines = "".join(CONSOLE.findall(text)).replace("\\\n", " ").splitlines()
        found = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
        for line in found + INLINE.findall(BLOCK.sub("", text)):
            commands.setdefault(tuple(words(line)), page.relative_to(ROOT).as_posix())
    return commands


def words(line):
    """A shell's command: without its environment, redirection and `taskset`."""
    parts = shlex.split(line, comments=True)
    while re.match(r"[A-Z_]+=", parts[0]):
        parts = parts[1:]
    if parts[0] == "taskset":
        parts = parts[3:]
    if ">" in parts:
        parts = parts[: parts.index(">")]
    return [part for part in parts if part != "&"]


def cheap(command):
    """The cheapest form of a command: a module and its arguments, or `make`.

    It is empty where another test runs the command, or the program is not ours.

    Raises:
        LookupError: If the command has no form here.
    """
    program, *arguments = (PLACEHOLDERS.get(word, word) for word in command)
    if program in FOREIGN or any(word in ELSEWHERE for word in command):
        return []
    if program == "make":
        return ["make", "-n", *arguments]
    if program == "keras-asymbp":
        return [SUBCOMMANDS, *of_subcommand(*arguments)]
    if program == "python" and arguments[0] == "-m":
        _, module, *flags = arguments
        if module == "keras_asymbp":
            return [module, *of_subcommand(*flags)]
        if module in (SUITE, f"{SUITE}.depth", f"{SUITE}.datasets"):
            name = {SUITE: "run"}.get(module, module.rpartition(".")[2])
            return [module, *of_subcommand(name, *flags)[1:]]
        if module.startswith(f"{SUITE}.commands.") and not flags:
            return [module, "--help"]
        if module == "pip" or (module in NAMED and not flags):
            return []
        if module == "benchmarks.gpu":
            if not flags:  # only named
                return []
            suite = flags[flags.index("--") + 1 :]  # what is passed on
            name = [] if suite[0] in gpu.TRAIN else ["run"]
            return [SUBCOMMANDS, *of_subcommand(*name, *suite)]
        if module in SMALL:
            small = [] if "--read" in flags else SMALL[module]
            return [module, *flags, *small]
    raise LookupError(f"no cheap form of: {shlex.join(command)}")


def of_subcommand(name=None, *flags):
    if name is None:
        return []
    if name == "datasets":
        # Others would be downloaded.
        small = [
            re.sub(r"^(mnist|cifar10|stl10|imagenet2012)(,\w+)*$", "mnist_5k", f)
            for f in flags
        ]
        return [name, *(small or ["--list"])]
    if name in ("ablation", "depth") or (name == "run" and "--exp" in flags):
        cheap_already = "--sbatch" in flags or "--dry_run" in flags
        return [name, *flags, *([] if cheap_already else ["--dry_run"])]
    if name == "run" and not flags:
        return [name, "--list"]
    if name == "translate" and not flags:
        return [name, "--help"]
    if name == "--version":
        return [name]
    if name == "completion":
        return [name, *(flags or ["bash"])]
    if name in ("claims", "doctor", "pictures", "report", "run", "translate"):
        return [name, *flags]
    raise LookupError(f"no cheap form of the subcommand {name}")


FORMS = {}
for _command, _page in documented().items():
    FORMS.setdefault(tuple(cheap(_command)), f"{_page}: {shlex.join(_command)}")
FORMS.pop((), None)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A reader's folder: results, and the files that the pages name."""
    folder = tmp_path_factory.mktemp("reader")
    trials = RESULTS / "quick-cifar10" / "trials"
    shutil.copytree(trials, folder / "results" / "trials")
    recorded = folder / "benchmarks" / "results"
    shutil.copytree(trials, recorded / "quick-mnist_5k" / "trials")
    for name in ("speed", "weight_decay"):
        shutil.copytree(RESULTS / name, recorded / name)
    shutil.copy(RESULTS / "speed" / "step_time.json", folder)
    page = (ROOT / "docs" / "from-biotorch.md").read_text(encoding="utf-8")
    configuration = re.search(r"```yaml\n(.*?)```", page, re.DOTALL)[1]
    (folder / "usf.yaml").write_text(configuration, encoding="utf-8")
    for table in ("right_signs.yaml", "decays.py"):
        shutil.copy(ROOT / "docs" / "examples" / table, folder)
    (folder / "job.sh").write_text("python train.py --algo sham --arch alexnet x\n")
    for split in ("train", "test"):
        for name in ("cat", "dog"):
            pet = folder / "path" / "to" / "pets" / split / name / "1.png"
            pet.parent.mkdir(parents=True)
            pet.touch()
    x, y = np.zeros((2, 28, 28), np.uint8), np.arange(2)
    np.savez(folder / "path/to/mine.npz", x_train=x, y_train=y, x_test=x, y_test=y)
    return folder


@pytest.fixture(scope="module")
def run(folder):
    """Runs a module with arguments in the folder; returns exit code and output."""
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path]),
        "CUDA_VISIBLE_DEVICES": "-1",
        "KERAS_ASYMBP_CACHE": str(folder / "cache"),
    }
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER],
        cwd=folder,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )

    def run(words):
        printed = folder / "printed.txt"
        server.stdin.write(json.dumps([words, str(printed)]) + "\n")
        server.stdin.flush()
        code = int(server.stdout.readline())
        return code, printed.read_text(encoding="utf-8")

    yield run
    server.communicate()  # its input ends, and so does it


@pytest.mark.parametrize(
    "form",
    [
        pytest.param(form, marks=[pytest.mark.slow] if form[0] in SLOW else [])
        for form in FORMS
    ],
    ids=shlex.join,
)
def test_it_runs(form, run):
    if form[0] == "make":
        subprocess.run(form, cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
        return
    code, printed = run(form)
    # The doctor's exit code is about this machine.
    allowed = (0, 1) if form[-1] == "doctor" else (0,)
    assert code in allowed, f"{FORMS[form]}\n{printed[-3000:]}"
    assert "Traceback" not in printed


@pytest.mark.slow
@pytest.mark.parametrize(
    ("program", "figures", "table"),
    [
        ("diagnostics_cost", "speed/diagnostics.json", "speed/diagnostics.md"),
        ("weight_decay", "weight_decay/errors.json", "weight_decay/table.md"),
    ],
)
def test_a_recorded_table_is_of_its_figures(program, figures, table, run):
    code, printed = run([f"benchmarks.{program}", "--read", str(RESULTS / figures)])
    assert code == 0
    assert (RESULTS / table).read_text(encoding="utf-8") in printed


@pytest.mark.slow
@pytest.mark.parametrize("program", ["diagnostics_cost", "weight_decay"])
def test_a_missing_file_of_figures_is_one_line(program, run):
    code, printed = run([f"benchmarks.{program}", "--read", "missing.json"])
    assert code == 2
    assert "Traceback" not in printed
    assert printed.splitlines()[-1].startswith("error: can't read missing.json:")


def test_scripts_that_are_run_elsewhere_are_run_there():
    for test, word in ELSEWHERE.values():
        assert word in (ROOT / test).read_text(encoding="utf-8"), word


def test_what_pip_installs_is_there():
    setup = (ROOT / "setup.py").read_text(encoding="utf-8")
    for program, *arguments in documented():
        if program == "pip":
            for extra in re.findall(r"\[(\w+)\]", " ".join(arguments)):
                assert f'"{extra}"' in setup, extra
            if "-r" in arguments:
                assert (ROOT / arguments[arguments.index("-r") + 1]).is_file()


def test_programs_that_are_named_are_run():
    assert {form[0] for form in FORMS} >= NAMED


def test_a_command_without_a_cheap_form_is_found():
    with pytest.raises(LookupError):
        cheap(["python", "-m", "benchmarks.new"])
    with pytest.raises(LookupError):
        cheap(["keras-asymbp", "new"])
