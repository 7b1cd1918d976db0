"""What breaks: one process or peer at a time, at a random moment or at a named one."""

import dataclasses
import random
import signal
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence

import kill_points
from cluster import Process
from pipeline import NO_ANSWER, Pipeline

# Of a hundred. A process that is started again may be told to die at a named moment.
_TASK_MANAGER, _JOB_MANAGER, _BROKER = 50, 20, 15
_APPOINTED = 0.8
_MOST_PASSES = {"file.writes": 40, "entry.puts": 12, "entry.durable": 12}
_PASSES = 4
# One that has not come to its moment by then is killed where it is.
_PATIENCE_S = 15
_MOST_MISSED = 10
# A JobManager that starts again adopts what runs: it comes there once another process falls.
_OF_DEPLOYMENT = "attempt."


@dataclasses.dataclass
class Strike:
    """One fault."""

    kind: str
    was_running: bool
    within_checkpoint: bool
    recovery_s: float | None = None  # unknown yet


class Striker:
    """Chooses and carries out."""

    def __init__(self, pipeline: Pipeline, choose: random.Random,
                 planned: Sequence[str] | None = None) -> None:
        """`planned`: named moments that are all to be struck, one after the other, and nothing else."""
        self._pipeline = pipeline
        self._choose = choose
        self._planned = deque(planned or ())
        self._is_planned = planned is not None
        self._missed: Counter[str] = Counter()  # planned moments that did not come
        self._moments: dict[str, str] = {}  # that have been told, by process

    def is_done(self) -> bool:
        """Whether all planned moments have been struck."""
        return self._is_planned and not self._planned and not any(self._moments.values())

    def strike(self) -> Strike:
        """The next fault; whoever fell has been started again when it returns."""
        if self._is_planned:
            return self._kill_planned()
        chosen = self._choose.randrange(100)
        cluster = self._pipeline.cluster
        if chosen < _TASK_MANAGER:
            # One that waits for its moment goes first.
            told = [each for each in cluster.task_managers if self._moments.get(each.name)]
            return self._kill(self._choose.choice(told or cluster.task_managers))
        if chosen < _TASK_MANAGER + _JOB_MANAGER and cluster.job_manager is not None:
            return self._kill(cluster.job_manager)
        if chosen < _TASK_MANAGER + _JOB_MANAGER + _BROKER:
            return self._at_random("broker", self._restart_broker)
        return self._at_random("postgres", self._restart_postgres)

    def fallen(self) -> Strike | None:
        """A process that has come to its moment by itself meanwhile, and has been started again."""
        cluster = self._pipeline.cluster
        for victim in [cluster.job_manager, *cluster.task_managers]:
            if victim is not None and victim.exited():
                running = self._pipeline.was_running
                moment = self._moments.get(victim.name, "")
                self._replace(victim, appoint=False)
                return _struck_at(victim.name, moment, running)
        return None

    def _kill_planned(self) -> Strike:
        """Whoever has a moment; or another one, so that its successor gets one."""
        cluster = self._pipeline.cluster
        processes = [*cluster.task_managers, cluster.job_manager]
        told = [each for each in processes if each is not None and self._moments.get(each.name)]
        if told and self._moments[told[0].name].startswith(_OF_DEPLOYMENT):
            return self._kill(next(each for each in cluster.task_managers if each not in told))
        if told:
            return self._kill(told[0])
        of_job_manager = bool(self._planned) and self._planned[0] in kill_points.of_job_manager()
        victim = cluster.job_manager if of_job_manager else cluster.task_managers[0]
        assert victim is not None
        return self._kill(victim)

    def _kill(self, victim: Process) -> Strike:
        """At its moment, if it has one; else at a random one."""
        moment = self._moments.get(victim.name, "")
        if moment:
            deadline = time.monotonic() + _PATIENCE_S
            while not victim.exited() and time.monotonic() < deadline:
                self._pipeline.is_running()
                time.sleep(0.01)
        else:
            time.sleep(self._choose.uniform(0, 1.5))
        if victim.exited():
            struck = _struck_at(victim.name, moment, self._pipeline.was_running)
        else:
            struck = Strike(_kind(victim.name), self._pipeline.is_running(), self._in_checkpoint())
            self._plan_again(moment)
        self._replace(victim, appoint=True)
        return struck

    def _plan_again(self, missed: str) -> None:
        """A moment that did not come, behind the others; some times at the most: the report will lack it."""
        point = missed.split(":")[0]
        if not self._is_planned or not point:
            return
        self._missed[point] += 1
        if self._missed[point] <= _MOST_MISSED:
            self._planned.append(point)

    def _replace(self, victim: Process, appoint: bool) -> None:
        cluster = self._pipeline.cluster
        self._moments.pop(victim.name, None)
        if victim is cluster.job_manager:
            moment = self._appoint(kill_points.of_job_manager()) if appoint else ""
            self._moments[self._replace_job_manager(victim, moment).name] = moment
        else:
            moment = self._appoint(kill_points.of_task_manager()) if appoint else ""
            new = cluster.kill_task_manager(victim, _variables(moment))
            self._moments[new.name] = moment

    def _replace_job_manager(self, victim: Process, moment: str) -> Process:
        """In the victim's place; or, where another one takes over, as the next to stand by."""
        cluster = self._pipeline.cluster
        if cluster.standbys:
            victim.end(signal.SIGKILL)
            cluster.await_takeover()
            return cluster.replace_job_manager(victim, _variables(moment))
        cluster.kill_job_manager(_variables(moment))
        assert cluster.job_manager is not None
        return cluster.job_manager

    def _at_random(self, kind: str, act: Callable[[], None]) -> Strike:
        time.sleep(self._choose.uniform(0, 1.5))
        struck = Strike(kind, self._pipeline.is_running(), self._in_checkpoint())
        act()
        return struck

    def _restart_broker(self) -> None:
        self._pipeline.broker.kill()
        self._pipeline.broker.start()

    def _restart_postgres(self) -> None:
        self._pipeline.server.kill()
        self._pipeline.server.start()

    def _in_checkpoint(self) -> bool:
        cluster = self._pipeline.cluster
        try:
            return any(cluster.checkpoints(job)["in_progress"] for job in self._pipeline.jobs.values())
        except NO_ANSWER:
            return False

    def _appoint(self, points: list[str]) -> str:
        if self._is_planned:
            point = next((each for each in self._planned if each in points), "")
            if not point:
                return ""
            self._planned.remove(point)
            # A commit may be PostgreSQL's or Kafka's.
            return f"{point}:{self._choose.randint(1, 3) if point.startswith('commit.') else 1}"
        if self._choose.random() >= _APPOINTED:
            return ""
        point = self._choose.choice(points)
        return f"{point}:{self._choose.randint(1, _MOST_PASSES.get(point, _PASSES))}"


def _kind(name: str) -> str:
    return name.split("-")[0]


def _struck_at(name: str, moment: str, running: bool) -> Strike:
    point = moment.split(":")[0]
    return Strike(f"{_kind(name)} at {point}", running, kill_points.is_within_checkpoint(point))


def _variables(moment: str) -> dict[str, str]:
    return {"WATERSHED_KILL_AT": moment}
