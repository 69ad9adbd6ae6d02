"""report.html in a real browser: layout and behaviour."""

import urllib.parse

import pytest


def first_cells(page, selector):
    return [
        text.removesuffix(", ours")
        for text in page.locator(f"{selector} tr > :first-child").all_text_contents()
    ]


def test_it_opens(page, hostile):
    assert page.title() == "Experiments A, B1, B2 | keras_asymbp"
    assert page.locator("table.printed").count() == 3
    assert page.locator(".pending").first.inner_text() == "Runs finished: 70 of 72."
    assert page.locator("noscript").count() == 1
    assert page.locator("img").count() == 0
    assert page.locator("th", has_text=hostile).count() > 3


def test_tables_need_no_scripts(visit):
    page = visit(java_script_enabled=False)
    assert page.locator("table.printed").first.is_visible()
    assert "neither pictures" in page.locator(".notice").inner_text()
    assert page.locator("canvas").first.is_hidden()


def test_data_sets_are_sorted_by_a_column(visit, hostile):
    page = visit()
    heading = page.locator("table.printed").first.locator("th", has_text="SGD").first
    rows = "table.printed >> nth=0 >> tbody"
    paper = ["paper: MNIST", "paper: CIFAR"]
    assert first_cells(page, rows) == ["mnist_5k", paper[0], hostile, paper[1]]
    heading.get_by_role("button").click()
    assert heading.get_attribute("aria-sort") == "ascending"
    assert first_cells(page, rows)[0] == "mnist_5k"
    heading.get_by_role("button").press("Enter")
    assert heading.get_attribute("aria-sort") == "descending"
    assert first_cells(page, rows) == [hostile, paper[1], "mnist_5k", paper[0]]


def test_models_are_sorted_with_the_unknown_last(page):
    page.locator("details.models summary").nth(2).click()
    table = page.locator("details.models table").nth(2)
    table.get_by_role("button", name="ours").click()
    for _ in range(2):
        values = table.locator("td:nth-child(3)").evaluate_all(
            "cells => cells.map((cell) => cell.dataset.value)"
        )
        numbers = [float(value) for value in values]
        assert numbers == sorted(numbers, reverse=_ == 1)
        table.get_by_role("button", name="ours").click()
    table.get_by_role("button", name="difference").click()
    differences = table.locator("td:nth-child(5)").all_inner_texts()
    assert differences[-2:] == ["", ""]  # the baseline's
    assert table.locator("th[aria-sort]").count() == 1


def test_the_filter_leaves_one_data_set(visit, hostile):
    page = visit()
    page.locator("#filter").select_option(label=hostile)
    visible = page.locator("table.printed tbody:visible tr:first-child th")
    assert set(visible.all_text_contents()) == {f"{hostile}, ours"}
    assert page.locator("#filtered").inner_text() == f"{hostile} only"
    for picture in ("signs", "rates", "curves", "scatter", "alignment"):
        assert hostile in page.locator(f"#{picture} figcaption").inner_text()
    page.locator("#filter").select_option(label="all")
    assert page.locator("table.printed tbody:visible").count() == 6


def test_the_mouse_shows_the_runs_behind_a_figure(page, figure):
    tip = page.locator("#tip")
    assert tip.is_hidden()
    figure(page, 0, "SGD").get_by_role("button").hover()
    tip.wait_for(state="visible")
    assert "SGD on mnist_5k" in tip.inner_text()
    rows = [row.split("\t") for row in tip.locator("tr").all_inner_texts()]
    assert rows == [
        ["rate", "seed 0", "seed 1"],
        ["0.005", "3.00", "4.00"],
        ["5e-4", "4.50", "6.00"],
    ]
    tip.hover()  # and stays
    page.wait_for_timeout(400)
    assert tip.is_visible()
    page.mouse.move(2, 2)
    tip.wait_for(state="hidden")


def test_the_keyboard_shows_the_runs_behind_a_figure(page, figure):
    tip = page.locator("#tip")
    button = figure(page, 0, "SGD").locator("button[data-figure]")
    button.focus()
    tip.wait_for(state="visible")
    assert button.get_attribute("aria-expanded") == "true"
    page.keyboard.press("Tab")  # into it
    assert page.evaluate("document.activeElement.textContent") == "Learning curves"
    page.keyboard.press("Escape")
    assert tip.is_hidden()
    assert button.evaluate("button => button === document.activeElement")
    page.keyboard.press("Tab")  # and past it, to the next figure
    assert "BN on mnist_5k" in tip.inner_text()
    assert button.get_attribute("aria-expanded") == "false"


def test_touch_shows_the_runs_behind_a_figure(visit, figure):
    page = visit(width=380, has_touch=True, is_mobile=True)
    figure(page, 0, "uSF").get_by_role("button").tap()
    tip = page.locator("#tip")
    tip.wait_for(state="visible")
    assert "div.: diverged" in tip.inner_text()
    box = tip.bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 380
    page.locator("h1").tap()
    tip.wait_for(state="hidden")


def test_pending_runs_are_shown(page, figure):
    figure(page, 2, "frSF+BN+BM").get_by_role("button").hover()
    tip = page.locator("#tip")
    tip.wait_for(state="visible")
    assert "3 of 4 runs" in tip.inner_text()
    assert tip.locator("td", has_text="pending").count() == 1


def test_commands_are_copied(page, figure):
    page.evaluate("document.body.prepend(document.createElement('textarea'))")

    def pasted():
        page.locator("textarea").fill("")
        page.locator("textarea").press("Control+V")
        return page.locator("textarea").input_value()

    page.get_by_role("button", name="Copy the last command").click()
    page.get_by_text("Copied", exact=True).wait_for()
    whole = page.locator("#command").text_content()
    assert pasted() == whole
    assert whole.startswith("python -m keras_asymbp.benchmarks --exp A,B1,B2 ")
    figure(page, 1, "brSF-50+BN+BM").get_by_role("button").hover()
    page.get_by_role("button", name="Copy the command").click()
    page.get_by_text("Copied", exact=True).last.wait_for()
    assert pasted() == (
        "python -m keras_asymbp.benchmarks --exp B1 --models brSF-50+BN+BM "
        "--learning_rates 0.005,0.0005 --datasets mnist_5k --preset quick --epochs 6 "
        "--reading unit-he-sum-decay --seeds 0,1"
    )


def test_the_finding_without_scripts_is_that_with_them(page, visit):
    plain = visit(java_script_enabled=False).locator("#verdicts")
    ours = page.locator("#verdicts")
    assert plain.inner_text() == ours.inner_text()
    assert "26 claims on mnist_5k:" in ours.inner_text()
    assert ours.locator(".verdicts li").count() == 4


def test_the_finding_is_that_of_the_chosen_data_set(visit, hostile):
    page = visit()
    page.locator("#scatter-setup").select_option(label=hostile)
    assert hostile in page.locator("#verdicts .lead").inner_text()
    assert hostile in page.locator("#scatter figcaption").inner_text()


def test_the_filter_of_trials(visit):
    page = visit()
    page.locator("#trial-list summary").click()
    field, rows = page.locator("#trial-filter"), page.locator("#trial-list tbody tr")
    rows.first.wait_for()
    total = rows.count()
    field.fill("usf seed=1 rate=5e-4 mnist_5k")
    assert page.locator("#trial-count").inner_text() == f"1 of {total}"
    assert page.locator("#trial-list tbody tr:visible th").inner_text() == "uSF"
    field.fill("no such run")
    assert page.locator("#trial-list tbody tr:visible").count() == 0
    field.fill("")
    assert page.locator("#trial-list tbody tr:visible").count() == total


def test_trials_lead_to_their_files(page, folder):
    page.locator("#trial-list summary").click()
    page.locator("#trial-list a").first.wait_for()
    links = page.locator("#trial-list a").evaluate_all(
        "links => links.map((link) => link.getAttribute('href'))"
    )
    files = {path.relative_to(folder).as_posix() for path in folder.glob("trials/*")}
    assert {urllib.parse.unquote(link) for link in links} == files
    page.locator("#trial-list").get_by_role("button", name="error").click()
    errors = page.locator("#trial-list tbody td:nth-child(6)").all_inner_texts()
    assert errors[0] == "2.00"
    assert "90.00 (diverged)" in errors[-10:]


@pytest.mark.parametrize("width", [380, 1440])
def test_nothing_overflows(width, visit):
    page = visit(width=width)
    for summary in page.locator("summary").all():
        summary.click()
    page.mouse.move(1, 1)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    sticking_out = page.evaluate(
        """width => [...document.querySelectorAll("body *")].filter((element) =>
          !element.closest(".scroll, .unseen, .skip") &&
          element.getBoundingClientRect().right > width + 0.5
        ).map((element) => element.outerHTML.slice(0, 100))""",
        width,
    )
    assert sticking_out == []


def test_the_dark_scheme_is_dark(page):
    def brightness(scheme):
        page.emulate_media(color_scheme=scheme)
        color = page.evaluate("getComputedStyle(document.body).backgroundColor")
        return sum(map(int, color.strip("rgb()").split(","))) / 3

    assert brightness("dark") < 40
    assert brightness("light") > 240


def test_it_is_printed_on_white_with_all_tables(visit):
    page = visit(scheme="dark")
    page.evaluate(
        """addEventListener("beforeprint", () => {
          document.title = [
            getComputedStyle(document.body).backgroundColor,
            document.querySelectorAll("details.models[open]").length,
          ].join(" ");
        })"""
    )
    assert page.pdf().startswith(b"%PDF")
    assert page.title() == "rgb(255, 255, 255) 3"
    assert page.locator("details.models[open]").count() == 0


def test_no_heading_is_left_alone_at_the_end_of_a_printed_page(visit):
    page = visit()
    page.emulate_media(media="print")
    alone = page.evaluate(
        """[...document.querySelectorAll("main :is(h2, h3)")].filter((heading) => {
          for (let at = heading; at; at = at.nextElementSibling) {
            if (at !== heading && !at.matches("p")) return false;
            if (at.nextElementSibling === null) return false;
            const kept = getComputedStyle(at).breakAfter === "avoid";
            if (!kept && at.nextElementSibling.matches(".picture, .scroll, .command")) {
              return true;
            }
          }
        }).map((heading) => heading.textContent)"""
    )
    assert alone == []
    assert page.locator(".save").first.is_hidden()


def test_held_out_examples_choose_the_best_run(held_out, visit, figure):
    page = visit(file=held_out)
    figure(page, 0, "SGD").get_by_role("button").hover()
    tip = page.locator("#tip")
    tip.wait_for(state="visible")
    assert "ours 3.50 ± " in tip.inner_text()
    assert tip.locator("td.best").all_inner_texts() == ["3.00", "4.00"]


def test_one_seed_on_one_data_set(single, visit):
    page = visit(file=single)
    # One row is not sorted; two models are.
    assert page.locator("table.printed button:not([data-figure])").count() == 0
    page.locator("details.models summary").click()
    models = page.locator("details.models table")
    heads = ["model", "ours, %", "paper, %", "difference, points", "95 % interval"]
    assert models.locator("th[scope=col]").all_inner_texts() == heads
    assert models.locator("tr").last.inner_text().split("\t")[3:] == [
        *("+10.00", "+7.66 to +12.34"),
    ]
    text = page.locator("main").inner_text()
    assert "1 (seed 0)" in text
    assert "1 seed: verdicts rest on 95 % intervals over 1,000 test examples" in text
    assert "standard deviation between seeds" not in text


@pytest.mark.parametrize(("width", "scheme"), [(380, "dark"), (1440, "light")])
def test_axe_finds_no_fault(width, scheme, visit, figure):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = visit(width=width, scheme=scheme)
    for summary in page.locator("summary").all():
        summary.click()
    figure(page, 0, "SGD").locator("button[data-figure]").focus()
    found = axe.run(page, options={"resultTypes": ["violations"]}).response[
        "violations"
    ]
    assert [
        (fault["id"], fault["help"], fault["nodes"][0]["html"])
        for fault in found
        if fault["impact"] in ("serious", "critical")
    ] == []
