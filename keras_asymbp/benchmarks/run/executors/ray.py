"""Runs tasks on a Ray cluster, one cell per task.

Ray starts tasks and reports how they ended. Their events go through an actor, the
mailbox, from which the driver takes them. A finished trial is in the mailbox before the
next one starts, so that it outlives its worker. (Generator tasks would need no mailbox,
but Ray's client, `ray://`, does not support them.) The schedule retries, not Ray: it
hands out the missing trials of a cell, where Ray would run the whole cell again.
"""

import contextlib
import functools
import os
import socket
import sys
import time
import uuid
from collections.abc import Mapping
from typing import Any

from keras_asymbp.benchmarks import environment
from keras_asymbp.benchmarks.errors import UsageError
from keras_asymbp.benchmarks.run.executors import base
from keras_asymbp.benchmarks.tables.cells import Task


class Ray(base.Executor):
    """Tasks on a Ray cluster, as many at once as its CPUs and GPUs allow.

    Args:
        make_bench: Makes a workbench, in each worker.
        address: The cluster's address: `auto`, `host:port` or `ray://host:port`. None
            starts a cluster for the run, which only this machine can reach.
        num_cpus: CPUs per task.
        num_gpus: GPUs per task; a fraction lets tasks share one.
        variables: Environment variables of the workers.

    Raises:
        UsageError: If the cluster can't be reached, or can't run a task.
    """

    def __init__(
        self,
        make_bench: base.MakeBench,
        address: str | None,
        num_cpus: int,
        num_gpus: float,
        variables: dict[str, str],
    ):
        # Both are read when Ray is imported.
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        if address is None:
            # With the node's address below, every port is on the loopback interface.
            os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
        import ray

        self._ray = ray
        self._needs = {"CPU": num_cpus, "GPU": num_gpus}
        self._running: dict[Any, tuple[base.Slot, str]] = {}
        self._tasks: dict[str, Task] = {}
        self._last: list[base.Slot] = []
        _connect(ray, address)
        try:
            check(self._needs, ray.cluster_resources(), can_grow=address is not None)
        except UsageError:
            ray.shutdown()
            raise
        self._mailbox = self._open_mailbox()
        variables = {
            "KERAS_BACKEND": environment.backend(),
            **environment.GPU_MEMORY,
            **variables,
        }
        self._start = functools.partial(
            ray.remote(_work)
            .options(
                num_cpus=num_cpus,
                num_gpus=num_gpus,
                max_retries=0,
                runtime_env={"env_vars": variables},
            )
            .remote,
            uuid.uuid4().hex,
            make_bench,
        )

    def free(self):
        count = self._room() - len(self._running)
        # Mostly, Ray gives the next task to the worker that became free last.
        slots = self._last[-count:] if count > 0 else []
        return slots + [base.Slot() for _ in range(count - len(slots))]

    def submit(self, slot, task):
        if slot in self._last:
            self._last.remove(slot)
        slot.last = task.cell
        number = uuid.uuid4().hex
        self._tasks[number] = task
        self._running[self._start(self._mailbox, number, task)] = slot, number

    def poll(self, observer, timeout):
        if not self._running:
            time.sleep(timeout)
            return
        over, _ = self._ray.wait(list(self._running), timeout=timeout)
        running = {number for _, number in self._running.values()}
        # The events of a task precede its end.
        for number, event in self._take():
            # Results of a task may arrive after the loss of its worker.
            if event[0] == "finished" or number in running:
                observer.report(self._tasks[number], *event)
        for reference in over:
            slot, number = self._running.pop(reference)
            ending = self._ending(reference)
            if not ending.reason:
                self._last.append(slot)
            ending.settle(observer, self._tasks[number])

    def close(self):
        for reference in self._running:
            with contextlib.suppress(Exception):
                self._ray.cancel(reference, force=True)
        self._running.clear()
        self._ray.shutdown()

    def _open_mailbox(self):
        # On the driver's node, which lives as long as the run. (With soft=True, Ray
        # sometimes takes another.)
        node = self._ray.get_runtime_context().get_node_id()
        strategies = self._ray.util.scheduling_strategies
        here = strategies.NodeAffinitySchedulingStrategy(node, soft=False)
        options = {"num_cpus": 0, "scheduling_strategy": here}
        return self._ray.remote(_Mailbox).options(**options).remote()

    def _take(self):
        """Empties the mailbox."""
        errors = self._ray.exceptions
        try:
            return self._ray.get(self._mailbox.take.remote())
        except errors.ActorUnavailableError:
            return []
        except errors.RayActorError:
            # It is lost with its events; tasks that use it fail and are retried.
            self._mailbox = self._open_mailbox()
            return []

    def _ending(self, reference):
        try:
            return self._ray.get(reference)
        except self._ray.exceptions.RayError as error:  # the worker or its node is lost
            return base.Ending(base.describe(error))

    def _room(self):
        """Number of tasks that the cluster can run at once, at its present size."""
        resources = self._ray.cluster_resources()
        needs = [(kind, need) for kind, need in self._needs.items() if need]
        return max(1, min(int(resources.get(kind, 0) // need) for kind, need in needs))


def check(
    needs: Mapping[str, float], resources: Mapping[str, float], can_grow: bool
) -> None:
    """Compares the needs of a task with the resources of a cluster.

    Args:
        needs: CPUs and GPUs per task, by Ray's names.
        resources: Those of the cluster.
        can_grow: Whether to warn instead of raising an error.

    Raises:
        UsageError: If no task can ever run.
    """
    for kind, need in needs.items():
        count = resources.get(kind, 0)
        if count < need:
            text = f"a task needs {need:g} {kind}s and the cluster has {count:g}"
            if not can_grow:
                flag = f"--num_{kind.lower()}s"
                raise UsageError(f"{text}: request less with {flag}")
            print(f"warning: {text}: waiting for more", file=sys.stderr)


def _connect(ray, address):
    options: dict[str, Any] = {
        "logging_level": "error",
        "log_to_driver": False,
    }
    if address is None:
        options |= {
            "address": "local",
            "_node_ip_address": "127.0.0.1",
            "num_cpus": environment.cores(),
            "include_dashboard": False,
        }
    else:
        options["address"] = address
    try:
        _knock(address)
        try:
            ray.init(**options)
        except ConnectionAbortedError:  # the client's server was slow to start
            ray.init(**options)
    except (OSError, ValueError, RuntimeError) as error:
        raise UsageError(
            f"no Ray cluster at '{address}' ({base.describe(error)}): start one with "
            "'ray start --head', or leave --address out"
        ) from error


def _knock(address):
    """Raises OSError at once if nothing answers there; Ray takes minutes."""
    host, _, port = (address or "").removeprefix("ray://").rpartition(":")
    if host and port.isdecimal():
        socket.create_connection((host, int(port)), timeout=10).close()


class _Mailbox:
    """An actor that holds events until the driver takes them."""

    def __init__(self):
        self._events = []

    def put(self, number, event):
        self._events.append((number, event))

    def take(self):
        events, self._events = self._events, []
        return events


# A worker's run and workbench.
_bench: tuple[str, base.MakeBench] | None = None


def _work(run, make_bench, mailbox, number, task):
    """Runs a task in its worker, which keeps its workbench for further tasks."""
    import ray

    global _bench
    if _bench is None or _bench[0] != run:
        _bench = run, functools.cache(make_bench)

    def report(*event):
        sent = mailbox.put.remote(number, event)
        if event[0] == "finished":
            ray.get(sent)

    ending = base.run(_bench[1], task, report)
    if ending.reason:
        _bench = None
    return ending
