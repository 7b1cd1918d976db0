"""A file of a job's newest checkpoint that is changed, cut or gone when the job must be restored."""

import contextlib
import os
import pathlib
import random
import signal
from collections.abc import Callable, Iterator

from cluster import Cluster
from peers.process import PeerError
from pipeline import Setting
from stage import Kind, Stage

_TASK_MANAGERS = 2  # of three are killed: with the slots of two a job might begin again at once
_LOG = 0.15  # of the strikes
_PENDING = 0.5  # of the strikes
_JOB_MANAGER_TOO = 0.3
_STATE = b"WSSTATE"


def _flip(file: pathlib.Path, choose: random.Random) -> None:
    """One bit; its size stays."""
    contents = bytearray(file.read_bytes())
    contents[choose.randrange(len(contents))] ^= 1 << choose.randrange(8)
    file.write_bytes(contents)


def _truncate(file: pathlib.Path, choose: random.Random) -> None:
    contents = file.read_bytes()
    file.write_bytes(contents[:choose.randrange(len(contents))])


def _delete(file: pathlib.Path, _: random.Random) -> None:
    file.unlink()


_WAYS: dict[str, Callable[[pathlib.Path, random.Random], None]] = {
    "flip": _flip, "truncate": _truncate, "delete": _delete}


def _damage(stage: Stage) -> float:
    """A file of a checkpoint, or of the JobManager's log."""
    return (_damage_the_log if stage.choose.random() < _LOG else _damage_the_newest_checkpoint)(stage)


def _damage_the_log(stage: Stage) -> float:
    """Its newest entry, which says that a checkpoint is complete. The next JobManager does not begin, and names it;
    once it is back, another one goes on with the tasks, which have run meanwhile."""
    cluster, choose = stage.cluster, stage.choose
    cluster.job_manager.end(signal.SIGKILL)
    file = max((stage.pipeline.checkpoints.parent / "cluster" / "store" / "log").glob("[0-9]*[0-9]"))
    whole = file.read_bytes()
    way = choose.choice(("flip", "truncate"))  # nobody can tell that the newest is not there
    _WAYS[way](file, choose)
    try:
        cluster.kill_job_manager()
    except PeerError as error:
        assert file.name in str(error), f"{file} is not named: {error}"
    else:
        raise AssertionError(f"a JobManager has begun after {way} of {file}")
    file.write_bytes(whole)
    cluster.kill_job_manager()
    stage.detail = f"{way} log entry: refused by name, put back"
    return stage.go_on()


def _damage_the_newest_checkpoint(stage: Stage) -> float:
    """While no job can be restored for want of slots. The job goes back to a checkpoint without the file; or
    it fails and names the file, since a target is ahead of all of these, and goes on once it is back; or it
    does without the file, which is of output that has been committed."""
    cluster, pipeline, choose = stage.cluster, stage.pipeline, stage.choose
    name = choose.choice(sorted(pipeline.jobs))
    job = pipeline.jobs[name]
    with _output_pending(stage) if choose.random() < _PENDING else contextlib.nullcontext():
        for task_manager in choose.sample(cluster.task_managers, _TASK_MANAGERS):
            cluster.remove_task_manager(task_manager)
        cluster.wait(lambda: cluster.rest("/overview")["taskmanagers"] == len(cluster.task_managers)
                     and cluster.state(job) != "RUNNING" and not cluster.checkpoints(job)["in_progress"],
                     "the job to see it", 60, lambda: f"{cluster.job(job)}")
        newest, files = _newest_checkpoint(pipeline.checkpoints / job, cluster.rest(f"/jobs/{job}/checkpoints"))
        kind = choose.choice(sorted(files))
        file = choose.choice(files[kind])
        whole = file.read_bytes()
        way = choose.choice(sorted(_WAYS))
        _WAYS[way](file, choose)
        completed = cluster.checkpoints(job)["completed"]
    if choose.random() < _JOB_MANAGER_TOO:
        cluster.kill_job_manager()
    for _ in range(_TASK_MANAGERS):
        cluster.add_task_manager()
    cluster.wait(lambda: _is_settled(cluster, job, completed), "the job to go on or to fail", 60,
                 lambda: f"{cluster.job(job)}")
    if cluster.state(job) == "FAILED":
        reason = cluster.job(job)["status-reason"]
        assert file.name in reason and "submit" in reason, f"{file} is not named: {reason}"
        file.write_bytes(whole)
        [path] = (pipeline.checkpoints / job).glob(f"chk-{newest}-*")
        pipeline.submit(name, 3, str(path))
        outcome = "failed by name, put back"
    else:
        restored = cluster.restored_checkpoint(job)
        assert restored < newest or (restored == newest and kind == "segment"), (
            f"{name} has restored {restored}, and {way} of {kind} {file} was of {newest}")
        outcome = "went back" if restored < newest else "did without"
    stage.detail = f"{way} {kind}: {outcome}"
    return stage.go_on()


@contextlib.contextmanager
def _output_pending(stage: Stage) -> Iterator[None]:
    """Neither target takes what the jobs have read, as far as they have not been faster."""
    cluster, pipeline = stage.cluster, stage.pipeline
    read = {job: cluster.job(job)["records-in"] for job in pipeline.jobs.values()}
    with pipeline.scenario.locked(*pipeline.tables()):
        stage.load()
        cluster.wait(lambda: all(cluster.job(job)["records-in"] > before for job, before in read.items()),
                     "more to be read", 30)
        os.kill(pipeline.broker.pid, signal.SIGSTOP)
        try:
            cluster.wait(pipeline.scenario.awaited_tables, "output to be pending", 30)
            yield
        finally:
            os.kill(pipeline.broker.pid, signal.SIGCONT)


def _newest_checkpoint(directory: pathlib.Path, told: dict) -> tuple[int, dict[str, list[pathlib.Path]]]:
    """Of those that are complete: its id, and its files by what they hold."""
    complete = {each["id"] for each in told["history"] if each["status"] == "COMPLETED"}
    manifests = {int(path.parent.name.split("-")[1]): path for path in directory.glob("chk-*/_metadata")}
    newest = max(complete & manifests.keys())
    listed = manifests[newest].read_bytes()
    files: dict[str, list[pathlib.Path]] = {"manifest": [manifests[newest]]}
    for file in sorted((directory / "shared").iterdir()):
        if file.name.encode() in listed and file.stat().st_size:
            with open(file, "rb") as opened:
                kind = "state" if opened.read(len(_STATE)) == _STATE else "segment"
            files.setdefault(kind, []).append(file)
    return newest, files


def _is_settled(cluster: Cluster, job: str, completed: int) -> bool:
    """Whether it has failed, or has begun again and completed more than so many checkpoints."""
    state = cluster.state(job)
    return state == "FAILED" or (state == "RUNNING" and cluster.checkpoints(job)["completed"] > completed)


KINDS = {"A10": Kind("damages a file of a job's newest checkpoint, or of the log, before it is read", _damage,
                     Setting(), loads=2, short=3)}
