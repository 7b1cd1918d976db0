"""The golden jobs on a cluster, three ways: straight; with checkpoints, under kill -9; and restored twice
from a retained checkpoint, each time at another parallelism. All jobs run at once. Their input comes record by
record: a watermark, and where something happens a checkpoint, lies between any two of a partition."""

import os
import random
import time
import unittest
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from cluster import Cluster
from golden_jobs import GoldenJob, feed, has_input, load_cases, offsets_read
from scenario import BINARIES, Scenario
from web_traffic import difference

_SEED = int(os.environ.get("WATERSHED_KILLS_SEED", "0")) or random.randrange(1, 1 << 31)
_PARALLELISM = 2
_RESCALED = {1: 3, 4: 1}  # after these steps, to so many subtasks
_CHECKPOINTED = {"checkpointing": {"interval": "200ms"},
                 "restart-strategy": {"type": "fixed-delay", "attempts": "1000", "delay": "100ms"}}
_WAIT_S = 60


class GoldenWays(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.cases = load_cases()
        cls.scenario = scenario = Scenario("golden")
        cls.cluster = Cluster(
            BINARIES, scenario.directory / "cluster", task_managers=2,
            slots=len(cls.cases) * max(_RESCALED.values()),  # so that one alone can run all
            options={"execution.checkpointing.dir": f"file://{scenario.directory}/checkpoints",
                     "pipeline.auto-watermark-interval": "0ms", "heartbeat.timeout": "20s"})
        cls.addClassCleanup(cls.cluster.stop)
        cls.cluster.start()

    def test_straight(self) -> None:
        self.submit_all(self.cases, {})
        for step in range(self.steps - 1):
            feed(self.running, step, self.steps)
            self.wait_consumed(step)
        self.end_all()
        self.assert_rows_once()

    def test_with_kills(self) -> None:
        print(f"seed {_SEED}")
        choose = random.Random(_SEED)
        # Without a record there is no middle: empty_input runs straight only.
        self.submit_all(filter(has_input, self.cases), _CHECKPOINTED)
        restored: Counter[str] = Counter()
        for step in range(self.steps - 1):
            feed(self.running, step, self.steps)
            self.kill_one(choose, step)
            self.wait_consumed(step)
            self.wait_checkpoint()
            for job in self.running:
                restored[job.name] = max(restored[job.name], self.cluster.restored_checkpoint(job.id))
        self.end_all(lambda: self.kill_one(choose, self.steps - 1))
        print(f"restored from checkpoints {dict(restored)}")
        for job in self.jobs:
            with self.subTest(job=job.name):
                if not job.failure:
                    self.assertGreater(restored[job.name], 0)
                self.assert_values(job)

    def test_restored_at_another_parallelism(self) -> None:
        self.submit_all(filter(has_input, self.cases), _CHECKPOINTED)
        for step in range(self.steps - 1):
            feed(self.running, step, self.steps)
            self.wait_consumed(step)
            if parallelism := _RESCALED.get(step):
                # A checkpoint begins when the sinks have committed what the one before it holds, so the
                # second one holds nothing that a restore would write again.
                self.wait_checkpoint()
                self.wait_checkpoint()
                self.for_running(lambda job, p=parallelism: self.restore(job, p))
        self.end_all()
        self.assert_rows_once()

    def submit_all(self, cases, more: dict) -> None:
        """`more`: fields of the job file."""
        way = self._testMethodName.removeprefix("test_")
        self.jobs = [GoldenJob(case, self.scenario, way, more) for case in cases]
        self.running = list(self.jobs)
        self.steps = max(job.steps() for job in self.jobs)
        self.for_running(lambda job: job.submit(self.cluster, _PARALLELISM))

    def for_running(self, do: Callable[[GoldenJob], None]) -> None:
        """For several at once, as it is wsctl that takes the time."""
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(do, self.running))

    def kill_one(self, choose: random.Random, step: int) -> None:
        """The JobManager, or a TaskManager that runs tasks: one that is killed leaves all to the other, so
        that two such kills hit every job."""
        # The moment is what the test varies, so it is a time and not an event.
        time.sleep(choose.uniform(0, 0.5))
        if step % 3 == 1:
            self.cluster.kill_job_manager()
        else:
            workers = self.cluster.task_managers
            busy = [worker for worker in workers if worker.task_threads()]
            self.cluster.kill_task_manager(choose.choice(busy or workers))

    def restore(self, job: GoldenJob, parallelism: int) -> None:
        """Ends the job and submits it from its newest checkpoint."""
        done = self.cluster.wsctl("cancel", job.id)
        self.assertEqual(0, done.returncode, done)
        path = self.cluster.job(job.id)["checkpoints"]["latest-completed"]["path"]
        job.submit(self.cluster, parallelism, restore=path)

    def wait_consumed(self, step: int) -> None:
        """Until all jobs have read what was put so far, or failed as they must."""
        def reached() -> bool:
            self.running = [job for job in self.running
                            if not (job.failure and self.cluster.state(job.id) == "FAILED")]
            offsets = offsets_read(self.cluster)
            waiting[:] = [job.name for job in self.running
                          if not job.has_consumed(step, self.steps, offsets)]
            return not waiting

        waiting: list[str] = []
        self.cluster.wait(reached, f"step {step} to be read", _WAIT_S, lambda: f"not by {waiting}")

    def wait_checkpoint(self) -> None:
        """Until all jobs have completed one that began after now."""
        def newest(job: GoldenJob) -> int:
            history = self.cluster.rest(f"/jobs/{job.id}/checkpoints")["history"]
            return max((each["id"] for each in history), default=0)

        def completed(job: GoldenJob) -> int:
            latest = self.cluster.rest(f"/jobs/{job.id}/checkpoints")["latest"]["completed"]
            return latest["id"] if latest else 0

        for job, begun in [(job, newest(job)) for job in self.running]:
            self.cluster.wait(lambda: completed(job) > begun, f"a checkpoint of {job.name}", _WAIT_S)

    def end_all(self, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Feeds the last step, which lets all jobs end."""
        feed(self.running, self.steps - 1, self.steps)
        meanwhile()
        for job in self.jobs:
            self.cluster.wait_state(job.id, ["FAILED" if job.failure else "FINISHED"], _WAIT_S)

    def assert_rows_once(self) -> None:
        """Every row as often as the case has it, and every record counted."""
        for job in self.jobs:
            with self.subTest(job=job.name):
                if job.failure:
                    self.assertIn(job.failure, self.cluster.job(job.id)["status-reason"])
                    continue
                found = job.rows()
                for sink, expected in job.expected_rows().items():
                    self.assertEqual("", difference(expected, found[sink]), sink)
                runs = [self.cluster.job(id) for id in job.ids]
                for counter in ("late", "skipped"):
                    self.assertEqual(job.case[counter],
                                     sum(run[f"{counter}-records"] for run in runs), counter)

    def assert_values(self, job: GoldenJob) -> None:
        """Every row at least as often as the case has it, and no other."""
        if job.failure:
            self.assertIn(job.failure, self.cluster.job(job.id)["status-reason"])
            return
        found = job.rows()
        for sink, expected in job.expected_rows().items():
            self.assertEqual(Counter(), expected - found[sink], f"missing in {sink}")
            self.assertEqual(set(expected), set(found[sink]), sink)


if __name__ == "__main__":
    unittest.main()
