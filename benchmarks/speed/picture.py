"""A picture of measurements, with a panel for each question that can be drawn."""

import os
import pathlib
from collections.abc import Callable, Iterable

import matplotlib

matplotlib.use("agg")  # draws into files, needs no screen

from matplotlib import pyplot

from benchmarks.measurements import Record
from keras_asymbp.benchmarks.errors import UsageError

_WIDTH, _HEIGHT = 7.0, 4.2  # inches of a panel
_COLUMNS = 2


def draw(records: Iterable[Record], path: str | os.PathLike) -> None:
    """Writes a picture of all records' rows, in the format of the name's suffix.

    Raises:
        UsageError: If there is nothing to draw, or the picture can't be written.
    """
    grouped: dict[str, list] = {}
    for record in records:
        for entry in record["rows"]:
            grouped.setdefault(entry["question"], []).append(entry)
    panels: list[tuple[Callable, str, list]] = []
    for question, rows in grouped.items():
        if question == "growth":
            for case in dict.fromkeys(entry["case"] for entry in rows):
                of_case = [entry for entry in rows if entry["case"] == case]
                panels.append((_lines, f"{rows[0]['title']}: {case}", of_case))
        elif question == "main_job":
            parts = [entry for entry in rows if entry["name"] != "the whole"]
            panels.append((_bars, rows[0]["title"], parts))
        elif with_goal := [entry for entry in rows if entry.get("goal") is not None]:
            panels.append((_bars, rows[0]["title"], with_goal))
    if not panels:
        raise UsageError("there is nothing to draw: measure something first")
    columns = min(_COLUMNS, len(panels))
    lines = -(-len(panels) // columns)
    size = (_WIDTH * columns, _HEIGHT * lines)
    figure, axes = pyplot.subplots(
        lines, columns, figsize=size, squeeze=False, layout="constrained"
    )
    for place, panel in zip(axes.flat, [*panels, *[None] * len(axes.flat)]):  # noqa: B905
        if panel is None:
            place.axis("off")
            continue
        plot, title, rows = panel
        plot(place, rows)
        place.set_title(title)
    try:
        figure.savefig(path, metadata=_no_date(path))
    except (OSError, ValueError) as error:
        raise UsageError(f"can't write the picture {path}: {error}") from error
    finally:
        pyplot.close(figure)


def _bars(axes, rows):
    """A bar for each row, with its goal and its figure by processor time."""
    names = [f"{entry['case']}: {entry['name']}" for entry in rows]
    positions = range(len(rows))
    axes.barh(positions, [entry["figure"] for entry in rows], color="tab:blue")
    for position, entry in zip(positions, rows, strict=True):
        if entry.get("goal") is not None:
            axes.plot([entry["goal"]] * 2, [position - 0.45, position + 0.45], "k-")
        if entry.get("figure_cpu") is not None:
            axes.plot(entry["figure_cpu"], position, ".", color="tab:orange")
    axes.set_yticks(positions, names, fontsize="x-small")
    axes.invert_yaxis()
    units = ", ".join(dict.fromkeys(entry["unit"] for entry in rows if entry["unit"]))
    if any(entry.get("goal") is not None for entry in rows):
        units += " (line: goal; dot: by processor time)"
    axes.set_xlabel(units)


def _lines(axes, rows):
    """Time over size, both logarithmic, with the slope of each kind."""
    points = [entry for entry in rows if "size" in entry]
    slopes = {entry["name"]: entry["figure"] for entry in rows}
    for kind in dict.fromkeys(entry["name"] for entry in points):
        of_kind = [entry for entry in points if entry["name"] == kind]
        axes.plot(
            [entry["size"] for entry in of_kind],
            [1000 * entry["figure"] for entry in of_kind],
            "o-",
            label=f"{kind}: slope {slopes[f'{kind}, slope']:.2f}",
        )
    axes.set(xscale="log", yscale="log", xlabel=rows[0]["case"], ylabel="ms a step")
    sizes = list(dict.fromkeys(entry["size"] for entry in points))
    axes.set_xticks(sizes, map(str, sizes))
    axes.tick_params(axis="x", which="minor", bottom=False, labelbottom=False)
    axes.legend()


def _no_date(path):
    """Equal measurements make equal files."""
    return {"Date": None} if pathlib.Path(path).suffix == ".svg" else None
