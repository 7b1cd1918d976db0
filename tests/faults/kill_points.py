"""The named moments of runtime/types/kill_point.cc, at which a process of a test build can be told to die."""

import pathlib
import re

_SOURCE = pathlib.Path(__file__).resolve().parents[2] / "runtime" / "types" / "kill_point.cc"
# Those that a JobManager passes; the others are a TaskManager's.
_OF_JOB_MANAGER = ("trigger.", "manifest.", "entry.", "checkpoint.tells", "attempt.")
# Not, or not always, between the barrier of a checkpoint and the confirmation of its output: an entry may be
# of any kind.
_OUTSIDE_CHECKPOINTS = ("recovery.", "state.", "attempt.", "entry.")


def all_points() -> list[str]:
    """In the order of a checkpoint's life."""
    listed = re.search(r"kNames = \{+(.*?)\}", _SOURCE.read_text(), re.DOTALL)
    assert listed, f"{_SOURCE} has no list of names"
    return re.findall(r'"([a-z.]+)"', listed[1])


def of_job_manager() -> list[str]:
    """Where a JobManager may die."""
    return [name for name in all_points() if name.startswith(_OF_JOB_MANAGER)]


def of_task_manager() -> list[str]:
    """Where a TaskManager may die."""
    return [name for name in all_points() if not name.startswith(_OF_JOB_MANAGER)]


def is_within_checkpoint(name: str) -> bool:
    """In an alignment, a snapshot or a commit, or in what ends them."""
    return not name.startswith(_OUTSIDE_CHECKPOINTS)
