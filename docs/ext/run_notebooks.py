"""Runs notebooks of docs/examples/ and stores their outputs.

`python docs/ext/run_notebooks.py` runs all of them, which takes some minutes;
`python docs/ext/run_notebooks.py first_steps` runs one.
"""

import os
import pathlib
import re
import sys
import tempfile

import nbclient
import nbformat

EXAMPLES = pathlib.Path(__file__).resolve().parents[1] / "examples"
# In a notebook TensorFlow logs to standard output, with names of temporary files.
_LOG = re.compile(r"^INFO:tensorflow:.*\n", re.MULTILINE)


def main():
    names = sys.argv[1:] or sorted(path.stem for path in EXAMPLES.glob("*.ipynb"))
    # The stored outputs are those of a reader without prepared data sets.
    os.environ.pop("KERAS_ASYMBP_TEST_DATA", None)
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    for name in names:
        path = EXAMPLES / f"{name}.ipynb"
        with tempfile.TemporaryDirectory() as folder:
            notebook = run(path, folder)
        nbformat.write(notebook, path)
        print(path)


def run(path, folder):
    """Runs a notebook in a folder.

    Args:
        path: The notebook's file, which stays as it is.
        folder: Where the notebook's own files go.

    Returns:
        The notebook with its outputs, without messages on standard error, times and the
        machine's versions.
    """
    notebook = nbformat.read(path, as_version=4)
    metadata = dict(notebook.metadata)
    nbclient.NotebookClient(
        notebook,
        timeout=300,
        coalesce_streams=True,
        record_timing=False,
        resources={"metadata": {"path": str(folder)}},
    ).execute()
    notebook.metadata = nbformat.from_dict(metadata)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [o for o in cell.outputs if o.get("name") != "stderr"]
            for output in cell.outputs:
                if "text" in output:
                    output.text = _LOG.sub("", output.text)
    return notebook


if __name__ == "__main__":
    main()
