"""The order of reads and updates of W in TensorFlow's graphs."""

import functools

from tensorflow.python.eager import context


def assert_w_is_read_before_or_after_its_update(model, fit):
    """In the graph of `fit` no read of W is concurrent with its update.

    V is computed from W. TensorFlow's graph optimizer once dropped their order, and the
    update of W overtook the read in one of a few hundred steps.
    """
    context.enable_run_metadata()
    context.export_run_metadata()  # drops the earlier graphs
    try:
        fit()
        graphs = context.export_run_metadata().partition_graphs
    finally:
        context.disable_run_metadata()

    def updates_of(graph):
        return [node for node in graph.node if node.op.startswith("AssignSub")]

    step = max(graphs, key=lambda graph: len(updates_of(graph)))
    nodes, updates = step.node, updates_of(step)
    sources = {
        node.name: {name.lstrip("^").split(":")[0] for name in node.input}
        for node in nodes
    }

    @functools.cache
    def before(name):
        return sources[name].union(*map(before, sources[name]))

    for write in updates:
        for read in nodes:
            if read.op == "ReadVariableOp" and read.input[0] == write.input[0]:
                assert read.name in before(write.name) or write.name in before(
                    read.name
                ), f"{write.input[0]} may be read during its update: {read.name}"
    assert len(updates) == len(model.trainable_variables), (
        f"expected {len(model.trainable_variables)} updates in a step's graph, "
        f"found {len(updates)}"
    )
