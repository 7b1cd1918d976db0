"""Two JobManagers on one log: one leads, the other stands by, takes over when the first is silent, and the
first, when it wakes up, changes nothing (A4). Real PostgreSQL and Kafka; each row is there once."""

import os
import pathlib
import shutil
import signal
import sys
import tempfile
import unittest

from scenario import ROOT

sys.path.insert(0, str(ROOT / "tests" / "faults"))

from pipeline import Pipeline, Setting  # noqa: E402  (found through the line above)

_EVENTS = 120_000
_ROUNDS = int(os.environ.get("WATERSHED_STANDBY_ROUNDS", "2"))


class Standby(unittest.TestCase):
    def setUp(self) -> None:
        directory = pathlib.Path(tempfile.mkdtemp(prefix="watershed-standby-"))
        directory.chmod(0o711)  # PostgreSQL runs as another user when this is root
        self.addCleanup(shutil.rmtree, directory, ignore_errors=True)
        self.pipeline = Pipeline(directory, seed=11, events=_EVENTS, setting=Setting(
            standbys=1, cluster_options={"high-availability.lease-duration": "1s"}))
        self.addCleanup(self.pipeline.stop)
        self.cluster = self.pipeline.cluster

    def test_each_row_is_there_once(self) -> None:
        self.go_on()
        for _ in range(_ROUNDS):
            self.freeze_the_leader()
            self.kill_the_leader()
        self.end_the_leader()
        self.pipeline.finish(timeout_s=120)
        for table, rows in self.pipeline.compare().items():
            with self.subTest(table=table):
                self.assertEqual((0, 0, 0), (rows.lost, rows.duplicated, rows.invented), rows.examples)

    def freeze_the_leader(self) -> None:
        """Until the other leads and has completed checkpoints; it ends when it wakes up."""
        leader = self.cluster.job_manager
        os.kill(leader.pid, signal.SIGSTOP)
        try:
            self.cluster.await_takeover()
            self.assertIn("has been silent for its lease", self.cluster.job_manager.log.read_text())
            self.go_on()
        finally:
            os.kill(leader.pid, signal.SIGCONT)
        self.cluster.wait(leader.exited, "the former leader to end", 30, leader.log_tail)
        self.assertIn("another JobManager leads", leader.log.read_text())
        self.cluster.replace_job_manager(leader)
        self.go_on()

    def kill_the_leader(self) -> None:
        """The other one sees that nobody listens in its place."""
        leader = self.cluster.job_manager
        leader.end(signal.SIGKILL)
        self.cluster.await_takeover()
        self.assertIn("nobody listens at", self.cluster.job_manager.log.read_text())
        self.cluster.replace_job_manager(leader)
        self.go_on()

    def end_the_leader(self) -> None:
        """It says in the log that it leads no longer."""
        leader = self.cluster.job_manager
        self.assertEqual(0, leader.end())
        self.cluster.await_takeover()
        self.assertIn("has released its lease", self.cluster.job_manager.log.read_text())
        self.go_on()

    def go_on(self) -> None:
        """Until all jobs have read more and completed two more checkpoints."""
        self.pipeline.load(_EVENTS // (4 * _ROUNDS + 4))
        self.cluster.wait(self.pipeline.is_running, "the jobs to run", 60)
        for job in self.pipeline.jobs.values():
            self.cluster.wait_checkpoints(job, 2)


if __name__ == "__main__":
    unittest.main()
