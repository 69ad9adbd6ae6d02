import dataclasses
import io
import re

import pytest
import rich.cells
import rich.console

from keras_asymbp.benchmarks import datasets
from keras_asymbp.benchmarks.run.progress import Display
from keras_asymbp.benchmarks.tables.experiments import Column

COLUMN = Column("SGD", batch_schedules=(((0, None),), ((0, None), (1, 500))))


class Screen(io.StringIO):
    """Collects the output."""

    def __init__(self, terminal):
        super().__init__()
        self.console = rich.console.Console(
            file=self, force_terminal=terminal, width=120, color_system="truecolor"
        )

    def text(self):
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.getvalue())


def result(*errors, diverged=False):
    return {
        "best_error": min(errors, default=0.9),
        "diverged": diverged,
        "curves": [
            {"epoch": number, "test_error": error}
            for number, error in enumerate(errors, 1)
        ],
    }


def run(display, cell, trial, result):
    display.begin(cell, trial)
    for row in result["curves"]:
        display.epoch(cell, trial, row)
    display.end(cell, trial, result)


@pytest.fixture
def cell(make_cell):
    return make_cell(COLUMN, epochs=3, learning_rates=(0.5, 5e-5))


def test_the_best_is_the_one_that_is_reported(cell):
    screen = Screen(terminal=False)
    trials = cell.trials()
    with Display(screen.console) as display:
        display.start(total=4, epochs=1)
        # The held-out examples choose.
        run(display, cell, trials[0], result(0.2) | {"validation_error": 0.5})
        run(display, cell, trials[1], result(0.3) | {"validation_error": 0.4})
    assert "best so far 30.00 %" in screen.text()


def show(screen, cell):
    """Of four trials, two are found, one runs, and one diverges in its second epoch."""
    trials = cell.trials()
    display = Display(screen.console)
    with display:
        display.start(total=4, epochs=3)
        display.found(cell, result(0.5, 0.25, 0.5))
        display.found(cell, result(0.9, 0.9, 0.9))
        run(display, cell, trials[1], result(0.4, 0.5, 0.3))
        run(display, cell, trials[2], result(0.125, diverged=True))
    return display


def test_plain_lines_without_a_terminal(cell):
    screen = Screen(terminal=False)
    show(screen, cell)
    assert screen.getvalue().splitlines() == [
        "3/4 mnist_5k | SGD | rate 5e-05 | seed 0: error 30.00 %, best so far 25.00 %",
        "4/4 mnist_5k | SGD | rate 0.5 | batch 100-500 | seed 0: error 12.50 % "
        "(diverged), best so far 12.50 %",
    ]


def test_a_long_name_stays_one_plain_line(make_cell):
    screen = Screen(terminal=False)
    cell = make_cell(Column("[bold]" + 200 * "x"), learning_rates=(0.5,))
    display = Display(screen.console)
    with display:
        display.start(total=1, epochs=6)
        run(display, cell, *cell.trials(), result(0.5))
    (line,) = screen.getvalue().splitlines()
    assert "[bold]" + 200 * "x" in line


def test_best_so_far_is_per_cell(make_cell):
    screen = Screen(terminal=False)
    display = Display(screen.console)
    cells = [make_cell(seed=seed, learning_rates=(0.5,)) for seed in (0, 1)]
    with display:
        display.start(total=3, epochs=6)
        display.found(cells[0], result(0.125))
        for cell in cells:
            run(display, cell, *cell.trials(), result(0.5))
    first, second = screen.getvalue().splitlines()
    assert first.endswith("seed 0: error 50.00 %, best so far 12.50 %")
    assert second.endswith("seed 1: error 50.00 %, best so far 50.00 %")


def test_counts(cell):
    display = show(Screen(terminal=False), cell)
    assert display.summary() == "2 trials run, 2 found stored"


def test_counts_when_all_trials_are_stored(cell):
    display = Display(Screen(terminal=False).console)
    with display:
        display.start(total=2, epochs=3)
        for _ in range(2):
            display.found(cell, result(0.5))
    assert display.summary() == "0 trials run, 2 found stored"


def test_a_terminal_sees_the_same_lines(cell):
    screen = Screen(terminal=True)
    show(screen, cell)
    assert "3/4 mnist_5k | SGD | rate 5e-05 | seed 0: error 30.00 %" in screen.text()


def test_the_bar_counts_missing_epochs(cell):
    screen = Screen(terminal=True)
    show(screen, cell)
    # Two of four trials were stored: six epochs are left, and the trial that diverged
    # counts for all of its three.
    last = [line for line in screen.text().splitlines() if "all trials" in line][-1]
    assert re.search(r"\b6/6\b", last)


def test_the_live_display_names_running_trials(cell):
    screen = Screen(terminal=True)
    display = Display(screen.console)
    with display:
        display.start(total=4, epochs=3)
        display.found(cell, result(0.5))
        trial = cell.trials()[0]
        display.begin(cell, trial)
        for row in result(0.4375, 0.25)["curves"]:
            display.epoch(cell, trial, row)
    overall, trial = screen.text().rstrip().splitlines()[-2:]
    assert "mnist_5k | SGD | rate 0.5 | seed 0 | error 25.00 %" in trial
    assert re.search(r"\b2/3\b", trial)
    assert re.search(r"\b2/9\b", overall)
    assert re.search(r"\d:\d\d", overall)


@pytest.mark.parametrize("name", ["mnist_5k", 240 * "x", 80 * "日"])
def test_it_is_whole_in_80_columns(name, make_cell):
    screen = Screen(terminal=True)
    screen.console.width = 80
    display = Display(screen.console)
    dataset = dataclasses.replace(datasets.get("mnist_5k"), name=name)
    column = Column("uSF+BN+BM Bottom", batch_schedules=(((0, None), (1, 500)),))
    cell = make_cell(column, dataset, epochs=65, architecture="InceptionResNetV2")
    trial = cell.trials()[0]
    with display:
        display.start(total=400, epochs=65)
        display.begin(cell, trial)
        display.epoch(cell, trial, {"epoch": 1, "test_error": 0.9})
    lines = screen.text().splitlines()
    last = lines[max(n for n, line in enumerate(lines) if "all trials" in line) :]
    assert all(rich.cells.cell_len(line) <= 80 for line in last)
    assert re.search(r"1/26000 0:00:\d\d [\d:-]+$", last[0].rstrip())
    assert re.search(r"1/65 +0:00:\d\d", last[1])
    assert "error 90.00 %" in re.sub(r"\s+", " ", " ".join(last[1:]))


def test_it_says_what_runs_before_the_first_trial_begins(cell):
    for terminal in (True, False):
        screen = Screen(terminal)
        display = Display(screen.console)
        with display:
            display.start(total=4, epochs=3)
            display.found(cell, result(0.5))
            display.working("2 processes")
        assert "running 3 of 4 trials in 2 processes" in screen.text()
        assert ("starting" in screen.text()) == terminal


def test_a_note_is_shown_once():
    screen = Screen(terminal=False)
    display = Display(screen.console)
    for text in ("a [b]", "c", "a [b]"):
        display.note(text)
    assert screen.getvalue() == "a [b]\nc\n"


def test_the_display_is_gone_after_an_interrupt(cell):
    screen = Screen(terminal=True)
    display = Display(screen.console)

    def interrupted():
        with display:
            display.start(total=4, epochs=3)
            display.begin(cell, cell.trials()[0])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    # The cursor, hidden by a live display, is shown again.
    assert screen.getvalue().rindex("\x1b[?25h") > screen.getvalue().rindex("\x1b[?25l")


@pytest.mark.parametrize("terminal", [True, False])
def test_a_name_is_neither_markup_nor_a_command(terminal, make_cell):
    cell = make_cell(Column("[red]a[/] :smile: \x1b[2Jb\u202e\ud800"))
    screen = Screen(terminal)
    with Display(screen.console) as display:
        display.start(total=1, epochs=1)
        run(display, cell, cell.trials()[0], result(0.5))
        display.failed(cell, "a\nb", again=True)
    name = r"[red]a[/] :smile: \x1b[2Jb\u202e\ud800"
    assert name in screen.text()
    assert ": a b\n" in screen.text()
    assert not set(screen.text()) & set("\x1b\u202e\ud800\U0001f604")
