"""Networks that are cut between two machines, one way or both, for longer than time-outs: jobs go on, each row there
once."""

import time

from network import Network
from pipeline import Setting
from stage import Kind, Stage

_SETTING = Setting(slots=3, network=True)  # two of three TaskManagers have slots for all
_LINKS = ("JobManager", "TaskManager", "Kafka", "PostgreSQL")
_WAYS = ("from", "to", "between")
_TIMES = [(link, way) for way in _WAYS for link in _LINKS]
# Heartbeats are given up within, and so is a commit.
_CUT_S = (5, 12)


def works() -> bool:
    """Whether it can be done here."""
    return Network.works()


def _cut(stage: Stage) -> float:
    """Between one TaskManager and something else: each kind of link, each way, by turns."""
    link, way = stage.next_of(_TIMES)
    cluster, network = stage.cluster, stage.pipeline.network
    one, another, *_ = stage.choose.sample(cluster.task_managers, len(cluster.task_managers))
    here = one.machine.address
    there = {"JobManager": cluster.job_manager.machine.address, "TaskManager": another.machine.address,
             "Kafka": stage.pipeline.kafka_host, "PostgreSQL": stage.pipeline.postgres_host}[link]
    ways = {"from": [(there, here)], "to": [(here, there)], "between": [(here, there), (there, here)]}[way]
    stage.detail = f"{way} {link}" if way != "between" else f"to and from {link}"
    restarts = stage.restarts()
    with network.cut(*ways):
        stage.load()
        time.sleep(stage.choose.uniform(*_CUT_S))
    recovery_s = stage.go_on()
    cluster.wait(lambda: cluster.rest("/overview")["taskmanagers"] == len(cluster.task_managers),
                 "all TaskManagers to be registered", 60)
    if stage.restarts() != restarts:
        stage.detail += ", jobs restarted"
    return recovery_s


KINDS = {"A5": Kind("cuts the network between a TaskManager and the JobManager, another one, Kafka or PostgreSQL, "
                    "one way or both, by turns", _cut, _SETTING, loads=2, short=2)}
