"""A job on a cluster with fewer slots than it asks for, where jobmanager.scheduler is adaptive: it runs in
those that are there, from its last checkpoint, and moves onto more when they come."""

import pathlib
import signal
import tempfile
import unittest

from cluster import Cluster
from scenario import BINARIES

_JOB = """kind: Job
name: endless
checkpointing: { interval: 100ms }
restart-strategy: { type: fixed-delay, attempts: 100, delay: 100ms }
sources:
  events:
    connector: datagen
    rows-per-second: 100
    columns: { host: string, event_time: timestamp }
    watermark: { column: event_time, delay: 1s }
operators:
  hits:
    input: events
    type: tumbling-window
    size: 1s
    key: [host]
    aggregate: { n: count(*) }
    parallelism: 2
sinks:
  out: { input: hits, connector: blackhole }
"""
_SUBMISSION = "jobmanager.adaptive-scheduler.submission"
_EXECUTING = "jobmanager.adaptive-scheduler.executing"


class FewerSlots(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory(prefix="watershed-fewer-slots-")
        self.addCleanup(directory.cleanup)
        root = pathlib.Path(directory.name)
        self.cluster = Cluster(
            BINARIES, root / "cluster", task_managers=1, slots=1,
            options={"execution.checkpointing.dir": f"file://{root}/checkpoints",
                     "jobmanager.scheduler": "adaptive",
                     f"{_SUBMISSION}.resource-stabilization-timeout": "300ms",
                     f"{_EXECUTING}.cooldown-after-rescaling": "200ms",
                     f"{_EXECUTING}.resource-stabilization-timeout": "300ms"})
        self.addCleanup(self.cluster.stop)
        self.cluster.start()
        (root / "job.yaml").write_text(_JOB)
        self.job = self.cluster.submit(root / "job.yaml", {}, parallelism=3)

    def runs_in(self, source: int, window: int) -> dict:
        """Waits until its vertices have these parallelisms and it takes checkpoints; what is shown."""
        def parallelism() -> list[int]:
            return [each["parallelism"] for each in self.cluster.rest(f"/jobs/{self.job}")["vertices"]]
        self.cluster.wait(
            lambda: parallelism() == [source, window] and self.cluster.state(self.job) == "RUNNING",
            f"parallelism {source}, {window}", 60, lambda: f"{parallelism()}")
        self.cluster.wait_checkpoints(self.job, 1)
        status = self.cluster.job(self.job)
        threads = [each.task_threads() for each in self.cluster.task_managers if not each.exited()]
        self.assertEqual(source + window, sum(map(len, threads)), threads)
        if source == 3:
            self.assertFalse(status["status-reason"])
        else:
            self.assertIn(f"runs in {source} of the 3 slots", status["status-reason"])
        return status

    def test_it_shrinks_and_grows(self) -> None:
        self.runs_in(1, 1)
        self.cluster.add_task_manager()
        status = self.runs_in(2, 2)
        self.assertIn("it runs in 1 of 3 slots and 1 more can be had", status["last-restart-reason"])
        self.assertGreater(status["checkpoints"]["restored"]["id"], 0)
        # Another JobManager takes over what runs, in as many slots as it does.
        self.cluster.kill_job_manager()
        self.assertEqual(status["attempt"], self.runs_in(2, 2)["attempt"])
        self.cluster.task_managers[0].end(signal.SIGKILL)
        status = self.runs_in(1, 1)
        self.assertIn("was lost", status["last-restart-reason"])
        self.assertGreater(status["checkpoints"]["restored"]["id"], 0)
        self.cluster.add_task_manager()
        self.cluster.add_task_manager()
        self.runs_in(3, 2)


if __name__ == "__main__":
    unittest.main()
