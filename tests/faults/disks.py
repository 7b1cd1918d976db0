"""Disks of one process, or of all, that are full, fail or are slow: jobs go on, and checkpoints when that is over."""

import errno
import pathlib

from interposed_calls import READS, WRITES
from pipeline import Setting
from stage import Kind, Stage

_SETTING = Setting(interposed=True, small_disk=True)
_KILLED = 0.3  # of the strikes: a TaskManager, meanwhile
_MOST_HITS = 8
_SLOW_MS = (100, 700)


def _fill_the_disk_for_checkpoints(stage: Stage) -> float:
    """Until each job says that it cannot write its checkpoints there, or cannot be restored now for that reason:
    a restore begins with a trial whether checkpoints can be written."""
    cluster, pipeline, choose = stage.cluster, stage.pipeline, stage.choose
    disk = pipeline.disk
    disk.fill()
    try:
        stage.load()
        if choose.random() < _KILLED:
            stage.detail = "and a TaskManager killed"
            cluster.kill_task_manager(choose.choice(cluster.task_managers))
        for job in pipeline.jobs.values():
            cluster.wait(lambda: disk.full in stage.told(job), "the job to tell of the disk", 30,
                         lambda: f"{cluster.job(job)}")
    finally:
        disk.make_space()
    return stage.go_on()


def _fail_with_eio(stage: Stage) -> float:
    """What one process writes for checkpoints, reads of them, or writes into the JobManager's log, some times; what
    it reads only as often as the jobs that must be restored have state on it."""
    cluster, pipeline, choose = stage.cluster, stage.pipeline, stage.choose
    what = choose.choice(("checkpoints, TaskManager", "checkpoints, JobManager", "restore, TaskManager",
                          "log, JobManager"))
    reads = what.startswith("restore")
    victim = choose.choice(cluster.task_managers) if "TaskManager" in what else cluster.job_manager
    folder = _store(stage) if what.startswith("log") else pipeline.checkpoints
    hits = pipeline.calls.hits(victim.name) + choose.randint(1, _MOST_HITS)
    restarts = sum(stage.restarts())
    pipeline.calls.fail(victim.name, folder, errno.EIO, READS if reads else WRITES)
    try:
        stage.load()
        if reads:
            cluster.kill_task_manager(choose.choice([each for each in cluster.task_managers if each != victim]))
        cluster.wait(lambda: pipeline.calls.hits(victim.name) >= hits or victim.exited()
                     or (reads and sum(stage.restarts()) > restarts and pipeline.is_running()),
                     "calls that fail", 60, lambda: f"{pipeline.calls.hits(victim.name)} of {hits}")
    finally:
        pipeline.calls.heal(victim.name)
    if victim.exited():
        assert victim is cluster.job_manager, victim.log_tail()
        cluster.kill_job_manager()
        what += ", which ended"
    stage.detail = what
    return stage.go_on()


def _slow_down(stage: Stage) -> float:
    """What one process writes for checkpoints, or into the JobManager's log. No heartbeat waits for a disk, and
    no job restarts."""
    cluster, pipeline, choose = stage.cluster, stage.pipeline, stage.choose
    what = choose.choice(("checkpoints, TaskManager", "checkpoints, JobManager", "log, JobManager"))
    victim = choose.choice(cluster.task_managers) if "TaskManager" in what else cluster.job_manager
    folder = _store(stage) if what.startswith("log") else pipeline.checkpoints
    restarts = stage.restarts()
    hits = pipeline.calls.hits(victim.name) + choose.randint(2, _MOST_HITS)
    pipeline.calls.delay(victim.name, folder, choose.randint(*_SLOW_MS))
    try:
        stage.load()
        cluster.wait(lambda: pipeline.calls.hits(victim.name) >= hits, "calls that are slow", 60,
                     lambda: f"{pipeline.calls.hits(victim.name)} of {hits}")
        registered = cluster.rest("/overview")["taskmanagers"]
        assert registered == len(cluster.task_managers), f"{registered} TaskManagers"
    finally:
        pipeline.calls.heal(victim.name)
    stage.detail = what
    recovery_s = stage.go_on()
    assert stage.restarts() == restarts, f"jobs have restarted: {restarts}, {stage.restarts()}"
    return recovery_s


def _store(stage: Stage) -> pathlib.Path:
    """Of the JobManager."""
    return stage.pipeline.checkpoints.parent / "cluster" / "store"


KINDS = {
    "A11 full": Kind("fills the disk for checkpoints until jobs tell of it", _fill_the_disk_for_checkpoints, _SETTING,
                     loads=2),
    "A11 eio": Kind("fails what one process writes or reads with EIO", _fail_with_eio, _SETTING, loads=2),
    "A11 slow": Kind("slows down what one process writes", _slow_down, _SETTING, loads=2),
}
