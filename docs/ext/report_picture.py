"""Takes the README's picture of the result table from the recorded results.

Run as `python docs/ext/report_picture.py`, with Debian's `chromium` on PATH. It makes
the report of `benchmarks/results/quick-mnist_5k` and saves the section of experiment C2
as `docs/pictures/results.png`.
"""

import pathlib
import shutil
import tempfile

import recorded_pages
from playwright import sync_api

PICTURE = recorded_pages.ROOT / "docs" / "pictures" / "results.png"


def main():
    with tempfile.TemporaryDirectory() as folder:
        copy = recorded_pages.make("quick-mnist_5k", pathlib.Path(folder))
        take(copy / "report.html")


def take(report):
    """Saves a picture of experiment C2 in a report."""
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        page = browser.new_page(
            viewport={"width": 1240, "height": 800},
            color_scheme="light",
            device_scale_factor=1.5,
        )
        page.goto(report.as_uri())
        section = page.locator("section", has=page.locator("h2 .name", has_text="C2"))
        section.locator("details, .save").evaluate_all(
            "all => all.forEach(e => e.remove())"
        )
        section.screenshot(path=PICTURE)
        browser.close()


if __name__ == "__main__":
    main()
