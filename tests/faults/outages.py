"""Faults that are conditions rather than deaths: a process that wakes up as a zombie, everything away, a table
that is locked. tests/e2e/short_faults_test.py does each once, ./dev faults --kind many times."""

import os
import signal
import time
from collections.abc import Callable

from pipeline import Pipeline

KINDS = {"A3": "freezes a TaskManager until the jobs run elsewhere, then wakes it",
         "A8": "takes broker and database away for longer than a Kafka transaction may last",
         "A15": "locks the tables for three time-outs of a commit"}

_LOCK_TIMEOUT_S = 1
_TRANSACTION_TIMEOUT_S = 10
# Of the jobs' sinks: time-outs that are quickly over.
SINK_OPTIONS = (
    ("    table-name:", f"    lock-timeout: {_LOCK_TIMEOUT_S}s\n    table-name:"),
    ("    format: json\n    topic: ${KAFKA_TOPIC}_",
     f"    properties.transaction.timeout.ms: {_TRANSACTION_TIMEOUT_S * 1000}\n"
     "    format: json\n    topic: ${KAFKA_TOPIC}_"))


class Outages:
    """Each returns once all jobs go on."""

    def __init__(self, pipeline: Pipeline, events: int) -> None:
        """`events`: to load at a time."""
        self._pipeline = pipeline
        self._cluster = pipeline.cluster
        self._events = events
        self._acts: dict[str, Callable[[], float]] = {
            "A3": self.freeze_a_task_manager, "A8": self.take_everything_away, "A15": self.lock_the_tables}

    def strike(self, kind: str) -> float:
        """One of KINDS. How long the jobs took to go on afterwards, in seconds."""
        return self._acts[kind]()

    def freeze_a_task_manager(self) -> float:
        """Until the jobs run elsewhere and have written more; then it wakes up with its old attempts, and is
        ended once it has been seen to do no harm: another one stays in its place."""
        zombie, *others = self._cluster.task_managers
        os.kill(zombie.pid, signal.SIGSTOP)
        try:
            self._cluster.add_task_manager()
            recovery_s = self.go_on()
        finally:
            os.kill(zombie.pid, signal.SIGCONT)
        self._cluster.wait(lambda: self._cluster.rest("/overview")["taskmanagers"] == len(others) + 2,
                           "the frozen one to register again", 30)
        self.go_on()
        self._cluster.remove_task_manager(zombie)
        self.go_on()
        return recovery_s

    def lock_the_tables(self) -> float:
        """Until each job has said three times that it waits."""
        with self._pipeline.scenario.locked(*self._pipeline.tables()):
            self._pipeline.load(self._events)
            for job in self._pipeline.jobs.values():
                self._cluster.wait(lambda: "lock timeout" in (self._cluster.job(job)["status-reason"] or ""),
                                   "the status to tell of the lock", 30, lambda: f"{self._cluster.job(job)}")
            retries = sum(self._retries())
            self._cluster.wait(lambda: sum(self._retries()) >= retries + 3 * len(self._pipeline.jobs),
                               "three time-outs", 60)
        return self.go_on()

    def take_everything_away(self) -> float:
        """Broker and database, until both jobs tell of it and the broker would end an open transaction."""
        self._pipeline.broker.kill()
        self._pipeline.server.kill()
        until = time.monotonic() + _TRANSACTION_TIMEOUT_S + 1
        for job in self._pipeline.jobs.values():
            self._cluster.wait(lambda: self._cluster.job(job)["status-reason"], "a status that tells", 30)
        time.sleep(max(0.0, until - time.monotonic()))
        self._pipeline.server.start()
        self._pipeline.broker.start()
        return self.go_on()

    def _retries(self) -> list[float]:
        """Of commits, by TaskManager."""
        return [each.metric_sum("watershed_sink_retries") for each in self._cluster.task_managers]

    def go_on(self) -> float:
        """Until all jobs have read more and completed two more checkpoints; how long that took."""
        began = time.monotonic()
        self._pipeline.load(self._events)
        self._cluster.wait(self._pipeline.is_running, "the jobs to run", 60)
        for job in self._pipeline.jobs.values():
            self._cluster.wait_checkpoints(job, 2)
        return time.monotonic() - began
