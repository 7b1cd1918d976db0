"""Where one kind of fault is done, again and again: running jobs that get more to read each time."""

import dataclasses
import random
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from pipeline import Pipeline, Setting

_Choice = TypeVar("_Choice")


class Stage:
    """Of one run."""

    def __init__(self, pipeline: Pipeline, events: int, choose: random.Random) -> None:
        """`events`: to load at a time."""
        self.pipeline = pipeline
        self.cluster = pipeline.cluster
        self.choose = choose
        self.detail = ""  # which a strike may tell about itself, for the report
        self._events = events
        self._turns = 0

    def next_of(self, choices: Sequence[_Choice]) -> _Choice:
        """Each of them by turns."""
        self._turns += 1
        return choices[(self._turns - 1) % len(choices)]

    def load(self) -> None:
        """The next events. AssertionError once there are none: a strike without rows would prove nothing."""
        loaded = self.pipeline.loaded
        self.pipeline.load(self._events)
        assert self.pipeline.loaded > loaded, "all events are used up: this kind wants more `loads`"

    def go_on(self) -> float:
        """Until all jobs have read more and completed two more checkpoints; how long that took, in seconds."""
        began = time.monotonic()
        self.load()
        self.cluster.wait(self.pipeline.is_running, "the jobs to run", 60)
        for job in self.pipeline.jobs.values():
            self.cluster.wait_checkpoints(job, 2)
        return time.monotonic() - began

    def retries(self) -> float:
        """Of commits, on all TaskManagers."""
        return sum(each.metric_sum("watershed_sink_retries") for each in self.cluster.task_managers)

    def told(self, job: str) -> str:
        """Why it does not go on as it should; empty: it does."""
        return self.cluster.job(job)["status-reason"] or ""

    def restarts(self) -> list[int]:
        """Of each job, so far."""
        return [self.cluster.job(job)["restarts"] for job in self.pipeline.jobs.values()]


@dataclasses.dataclass(frozen=True)
class Kind:
    """Of faults."""

    what: str  # it does
    # Returns once all jobs go on: how long that took afterwards, in seconds.
    strike: Callable[[Stage], float]
    setting: Setting = Setting()
    within_checkpoint: bool = False  # each of them falls within an alignment, a snapshot or a commit
    loads: int = 3  # of events at the most
    short: int = 1  # times, where each kind is done once
