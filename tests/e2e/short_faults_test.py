"""A zombie, a table that is locked for longer than three time-outs, and everything away at once, under jobs
that write real PostgreSQL: they go on by themselves, and each row is there once. Of each a short version;
./dev faults has the long one."""

import os
import pathlib
import shutil
import signal
import sys
import tempfile
import unittest

from scenario import ROOT

sys.path.insert(0, str(ROOT / "tests" / "faults"))

from pipeline import Pipeline  # noqa: E402  (found through the line above)

_EVENTS = 120_000
_LOCK_TIMEOUT_S = 1


class ShortFaults(unittest.TestCase):
    def setUp(self) -> None:
        directory = pathlib.Path(tempfile.mkdtemp(prefix="watershed-short-faults-"))
        directory.chmod(0o711)  # PostgreSQL runs as another user when this is root
        self.addCleanup(shutil.rmtree, directory, ignore_errors=True)
        self.pipeline = Pipeline(directory, seed=5, events=_EVENTS, sink_options=(
            ("    table-name:", f"    lock-timeout: {_LOCK_TIMEOUT_S}s\n    table-name:"),))
        self.addCleanup(self.pipeline.stop)
        self.cluster = self.pipeline.cluster

    def test_each_row_is_there_once(self) -> None:
        self.go_on()
        self.freeze_a_task_manager()
        self.lock_the_tables()
        self.take_everything_away()
        self.pipeline.finish(timeout_s=120)
        for table, rows in self.pipeline.compare().items():
            with self.subTest(table=table):
                self.assertEqual((0, 0, 0), (rows.lost, rows.duplicated, rows.invented), rows.examples)

    def freeze_a_task_manager(self) -> None:
        """Until the jobs run elsewhere and have written more; then it wakes up with its old attempts."""
        zombie = self.cluster.task_managers[0]
        os.kill(zombie.pid, signal.SIGSTOP)
        try:
            self.cluster.add_task_manager()
            self.go_on()
        finally:
            os.kill(zombie.pid, signal.SIGCONT)
        self.cluster.wait(lambda: self.cluster.rest("/overview")["taskmanagers"] == 4,
                          "the frozen one to register again", 30)
        self.go_on()

    def lock_the_tables(self) -> None:
        """Until each job has said three times that it waits."""
        with self.pipeline.scenario.locked(*self.pipeline.tables()):
            self.pipeline.load(_EVENTS // 10)
            for job in self.pipeline.jobs.values():
                self.cluster.wait(lambda: "lock timeout" in (self.cluster.job(job)["status-reason"] or ""),
                                  "the status to tell of the lock", 30,
                                  lambda: f"{self.cluster.job(job)}")
            retries = sum(self.retries())
            self.cluster.wait(lambda: sum(self.retries()) >= retries + 3 * len(self.pipeline.jobs),
                              "three time-outs", 60)
        self.go_on()

    def take_everything_away(self) -> None:
        """Broker and database, for longer than clients try at once."""
        self.pipeline.broker.kill()
        self.pipeline.server.kill()
        for job in self.pipeline.jobs.values():
            self.cluster.wait(lambda: self.cluster.job(job)["status-reason"], "a status that tells", 30)
        self.pipeline.server.start()
        self.pipeline.broker.start()
        self.go_on()

    def retries(self) -> list[float]:
        """Of commits, by TaskManager."""
        return [each.metric_sum("watershed_sink_retries") for each in self.cluster.task_managers]

    def go_on(self) -> None:
        """Until all jobs have read more and completed two more checkpoints."""
        self.pipeline.load(_EVENTS // 10)
        self.cluster.wait(self.pipeline.is_running, "the jobs to run", 60)
        for job in self.pipeline.jobs.values():
            self.cluster.wait_checkpoints(job, 2)


if __name__ == "__main__":
    unittest.main()
