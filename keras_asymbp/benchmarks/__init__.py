"""The experiments of Liao, Leibo and Poggio (2016), from data to report.

Data flows one way:

    experiment -> cells -> search -> trial -> store -> inventory -> report

An experiment is a table as data. It has a cell for each model, data set and seed; the
search trains a cell at each learning rate, one trial each; the store keeps a JSON file
for each trial. An inventory finds what a results folder holds, and a report shows it.

The rooms, lowest first. A room imports only rooms above it in this list; those of one
item do not import each other.

- `escaping`: names from outside, made inert, for each format of output.
- `errors`: what a user is told instead of a traceback. `environment`: threads and
  processors. `networks`: the networks by name, without a tensor library. `counting`:
  numbers of things, in words.
- `guard`: output, Ctrl-C and errors of a command's process.
- `datasets`: the catalog, the builders that TFDS lacks, and examples ready to train on.
- `tables`: experiments, protocol, cells, plans and the printed figures, all as data.
- `results`: the store, leases, the inventory, tables filled from the store, and the
  paper's claims.
- `training`: networks built and trained, the learning-rate search, TensorBoard.
  `pictures`: results beside the paper's.
- `run`: the runner, its schedule and executors, progress, cost estimates, Slurm.
  `reports`: Markdown, LaTeX, HTML, CSV and the terminal. `depth`: the depth study.
  `ablation`: readings of what the paper leaves open, compared with its figures.
  `peers`: other packages' options.
- `commands`: one file a subcommand, and their flags.

Only `training`, the loaders of `datasets` and the command `doctor` import TensorFlow or
Keras, so the command line answers at once.
"""
