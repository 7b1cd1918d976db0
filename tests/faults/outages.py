"""Faults that are conditions rather than deaths: a process that wakes up as a zombie, everything away, a table
that is locked."""

import os
import signal
import time

from pipeline import Setting
from stage import Kind, Stage

_LOCK_TIMEOUT_S = 1
_TRANSACTION_TIMEOUT_S = 10
# Of the jobs' sinks: time-outs that are quickly over.
_SETTING = Setting(sink_options=(
    ("    table-name:", f"    lock-timeout: {_LOCK_TIMEOUT_S}s\n    table-name:"),
    ("    format: json\n    topic: ${KAFKA_TOPIC}_",
     f"    properties.transaction.timeout.ms: {_TRANSACTION_TIMEOUT_S * 1000}\n"
     "    format: json\n    topic: ${KAFKA_TOPIC}_")))


def _freeze_a_task_manager(stage: Stage) -> float:
    """Until the jobs run elsewhere and have written more; then it wakes up with its old attempts, and is
    ended once it has been seen to do no harm: another one stays in its place."""
    cluster = stage.cluster
    zombie, *others = cluster.task_managers
    os.kill(zombie.pid, signal.SIGSTOP)
    try:
        cluster.add_task_manager()
        recovery_s = stage.go_on()
    finally:
        os.kill(zombie.pid, signal.SIGCONT)
    cluster.wait(lambda: cluster.rest("/overview")["taskmanagers"] == len(others) + 2,
                 "the frozen one to register again", 30)
    stage.go_on()
    cluster.remove_task_manager(zombie)
    stage.go_on()
    return recovery_s


def _lock_the_tables(stage: Stage) -> float:
    """Until each job has said three times that it waits."""
    cluster, pipeline = stage.cluster, stage.pipeline
    with pipeline.scenario.locked(*pipeline.tables()):
        stage.load()
        for job in pipeline.jobs.values():
            cluster.wait(lambda: "lock timeout" in (cluster.job(job)["status-reason"] or ""),
                         "the status to tell of the lock", 30, lambda: f"{cluster.job(job)}")
        retries = stage.retries()
        cluster.wait(lambda: stage.retries() >= retries + 3 * len(pipeline.jobs),
                     "three time-outs", 60)
    return stage.go_on()


def _take_everything_away(stage: Stage) -> float:
    """Broker and database, until both jobs tell of it and the broker would end an open transaction."""
    cluster, pipeline = stage.cluster, stage.pipeline
    pipeline.broker.kill()
    pipeline.server.kill()
    until = time.monotonic() + _TRANSACTION_TIMEOUT_S + 1
    for job in pipeline.jobs.values():
        cluster.wait(lambda: cluster.job(job)["status-reason"], "a status that tells", 30)
    time.sleep(max(0.0, until - time.monotonic()))
    pipeline.server.start()
    pipeline.broker.start()
    return stage.go_on()


KINDS = {
    "A3": Kind("freezes a TaskManager until the jobs run elsewhere, then wakes it", _freeze_a_task_manager,
               _SETTING),
    "A8": Kind("takes broker and database away for longer than a Kafka transaction may last",
               _take_everything_away, _SETTING),
    "A15": Kind("locks the tables for three time-outs of a commit", _lock_the_tables, _SETTING),
}
