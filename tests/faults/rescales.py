"""Jobs that are stopped or cancelled, and go on at another parallelism, while processes are killed."""

import json
import re
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

from cluster import ENDED
from pipeline import Setting
from stage import Kind, Stage

_PARALLELISMS = (1, 2, 4, 3)  # in turn
_SAVEPOINT = re.compile(r"Savepoint completed\. Path: (\S+)")
_WITH_SAVEPOINT = 0.7  # of the strikes; in others the jobs are cancelled, and go on from their last checkpoints
_STOP_S = 0.5  # about what it takes
_START_S = 1.0  # until restored jobs run
_UNREACHABLE = 4  # wsctl's exit code
_NO_JOB_MANAGER_S = 30
_STOPS = 5  # that are asked for: one may fail with the process that is killed


def _rescale(stage: Stage) -> float:
    """One leg, of all jobs. The kill falls into their end, or into their new beginning."""
    pipeline, choose = stage.pipeline, stage.choose
    now = _parallelism(stage)
    then = _PARALLELISMS[(_PARALLELISMS.index(now) + 1) % len(_PARALLELISMS)]
    stage.load()
    end = _stop if choose.random() < _WITH_SAVEPOINT else _cancel
    killed_at_end = choose.random() < 0.5
    with ThreadPoolExecutor(len(pipeline.jobs)) as executor:
        ended = {name: executor.submit(end, stage, job) for name, job in pipeline.jobs.items()}
        if killed_at_end:
            victim = _kill(stage, _STOP_S)
        paths = {name: path.result() for name, path in ended.items()}
    for name, path in paths.items():
        pipeline.submit(name, then, path)
    if not killed_at_end:
        victim = _kill(stage, _START_S)
    recovery_s = stage.go_on()
    assert _parallelism(stage) == then
    how = "savepoint" if end is _stop else "checkpoint"
    stage.detail = f"through a {how}, {victim} killed at the {'end' if killed_at_end else 'beginning'}"
    return recovery_s


def _kill(stage: Stage, within_s: float) -> str:
    """A process, after a while, and another one in its place; which of them."""
    cluster, choose = stage.cluster, stage.choose
    time.sleep(choose.uniform(0, within_s))
    if choose.random() < 0.3:
        cluster.kill_job_manager()
        return "JobManager"
    cluster.kill_task_manager(choose.choice(cluster.task_managers))
    return "TaskManager"


def _stop(stage: Stage, job: str) -> str:
    """The path of its savepoint."""
    savepoints = f"file://{stage.pipeline.checkpoints.parent}/savepoints"
    for _ in range(_STOPS):
        done = _wsctl(stage, "stop", job, "-p", savepoints)
        match = _SAVEPOINT.search(done.stdout)
        if done.returncode == 0 and match:
            return match[1]
        shown = _shown(stage, job)
        if shown["state"] == "FINISHED":  # and the answer was lost, and with it the path
            [path] = (stage.pipeline.checkpoints.parent / "savepoints").glob(f"savepoint-{job[:6]}-*")
            return str(path)
        assert shown["state"] not in ENDED, f"{shown}\n{done.stdout}{done.stderr}"
    raise AssertionError(f"job {job} does not stop\n{done.stdout}{done.stderr}\n{stage.cluster.logs()}")


def _cancel(stage: Stage, job: str) -> str:
    """The path of its last checkpoint."""
    done = _wsctl(stage, "cancel", job)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}\n{stage.cluster.logs()}"
    stage.cluster.wait(lambda: _shown(stage, job)["state"] == "CANCELED", "the job to be cancelled", 60)
    return _shown(stage, job)["checkpoints"]["latest-completed"]["path"]


def _shown(stage: Stage, job: str) -> dict:
    done = _wsctl(stage, "get", job, "-o", "json")
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"
    return json.loads(done.stdout)


def _wsctl(stage: Stage, *arguments: str) -> subprocess.CompletedProcess:
    """Again while there is no JobManager."""
    deadline = time.monotonic() + _NO_JOB_MANAGER_S
    while True:
        done = stage.cluster.wsctl(*arguments)
        if done.returncode != _UNREACHABLE or time.monotonic() > deadline:
            return done
        time.sleep(0.05)


def _parallelism(stage: Stage) -> int:
    """Of all jobs."""
    found = {vertex["parallelism"] for job in stage.pipeline.jobs.values()
             for vertex in stage.cluster.job(job)["vertices"]}
    assert len(found) == 1, found
    return found.pop()


KINDS = {"A13": Kind("stops all jobs and goes on at another parallelism, and kills a process meanwhile", _rescale,
                     Setting(slots=3, parallelism=_PARALLELISMS[0]), loads=2, short=2)}
