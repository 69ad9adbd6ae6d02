"""Takes the README's picture of the result table from the recorded report.

Run as `python docs/ext/report_picture.py`, with Debian's `chromium` on PATH. It opens
`benchmarks/results/quick-mnist_5k/report.html` and saves the section of experiment C2
as `docs/pictures/results.png`.
"""

import pathlib
import shutil

from playwright import sync_api

ROOT = pathlib.Path(__file__).resolve().parents[2]
REPORT = ROOT / "benchmarks" / "results" / "quick-mnist_5k" / "report.html"
PICTURE = ROOT / "docs" / "pictures" / "results.png"


def main():
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
        page.goto(REPORT.as_uri())
        section = page.locator("section", has=page.locator("h2 .name", has_text="C2"))
        section.locator("details").evaluate_all("all => all.forEach(e => e.remove())")
        section.screenshot(path=PICTURE)
        browser.close()


if __name__ == "__main__":
    main()
