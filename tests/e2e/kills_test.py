"""kill -9 of TaskManagers and of the JobManager at random moments while the session and the tumbling job
read real Kafka and write real PostgreSQL: both end by themselves, and every window's row is there once,
as the reference has it."""

import os
import pathlib
import random
import time
import unittest
from collections import Counter

from cluster import Cluster
from scenario import BINARIES, Scenario
from web_traffic import (OUTPUTS, Traffic, checkpointed_job_file, difference, generator,
                         planned_traffic)

_SEED = int(os.environ.get("WATERSHED_KILLS_SEED", "0")) or random.randrange(1, 1 << 31)
_KILLS = int(os.environ.get("WATERSHED_KILLS", "20"))
_EVENTS_SEED = 11


class Kills(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.scenario = scenario = Scenario("kills")
        cls.ends, cls.expected = planned_traffic(scenario, generator(_EVENTS_SEED))
        cls.cluster = Cluster(
            BINARIES, scenario.directory / "cluster", task_managers=2, slots=2,
            options={"execution.checkpointing.dir": f"file://{scenario.directory}/checkpoints",
                     "heartbeat.timeout": "3s"})
        cls.addClassCleanup(cls.cluster.stop)
        cls.cluster.start()

    def job_file(self, name: str) -> pathlib.Path:
        """The job with its checkpoints, its end, and its target."""
        return checkpointed_job_file(self.scenario, name, self.ends)

    def rows(self, output: tuple) -> Counter:
        """What has arrived at the target."""
        return self.scenario.rows(*output)

    def test_every_window_has_its_value(self) -> None:
        print(f"seed {_SEED}")
        choose = random.Random(_SEED)
        traffic = Traffic(self.scenario, _EVENTS_SEED, seconds=54)
        self.addCleanup(traffic.stop)
        jobs = {name: self.cluster.submit(self.job_file(name), self.scenario.env, parallelism=2)
                for name in OUTPUTS}
        restored: dict[str, list[int]] = {name: [] for name in jobs}
        self.wait_running(jobs)
        for kill, target in enumerate(self.targets(choose)):
            # The moment is what the test varies, so it is a time and not an event.
            time.sleep(choose.uniform(0.2, 2.5))
            if target is None:
                self.cluster.kill_job_manager()
            else:
                self.cluster.kill_task_manager(self.cluster.task_managers[target])
            if kill % 4 == 3:  # so that checkpoints happen between the kills
                self.wait_running(jobs)
                for name, job in jobs.items():
                    self.cluster.wait_checkpoints(job, 1)
                    restored[name].append(self.cluster.restored_checkpoint(job))
        traffic.finish()
        print(f"restored from checkpoints {restored}")
        for name, job in jobs.items():
            with self.subTest(job=name):
                self.cluster.wait_state(job, ["FINISHED"], timeout_s=240)
                self.assertGreater(max(restored[name]), 0)
        for output, rows in self.expected.items():
            with self.subTest(table=output[0]):
                self.assertEqual("", difference(rows, self.rows(output)))

    def targets(self, choose: random.Random) -> list[int | None]:
        """A TaskManager's number for each kill; None, for three of ten, the JobManager."""
        task_managers = len(self.cluster.task_managers)
        targets = [None if kill % 10 < 3 else kill % task_managers for kill in range(_KILLS)]
        choose.shuffle(targets)
        return targets

    def wait_running(self, jobs: dict[str, str]) -> None:
        """All of them."""
        for job in jobs.values():
            self.cluster.wait_state(job, ["RUNNING"])


if __name__ == "__main__":
    unittest.main()
