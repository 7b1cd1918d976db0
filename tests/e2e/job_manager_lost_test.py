"""kill -9 of the JobManager, and what its successor must know: what was asked of it, what its tasks have
done, what it has counted. Jobs that generate their rows: no peers are needed."""

import os
import pathlib
import signal
import tempfile
import unittest

from cluster import Cluster
from scenario import BINARIES

_GENERATOR = """  {name}:
    connector: datagen
    rows-per-second: 100
    {more}columns: {{ host: string, event_time: timestamp }}
"""
_ENDLESS = ("kind: Job\nname: endless\ncheckpointing: { interval: 100ms }\n"
            "restart-strategy: { type: fixed-delay, attempts: 10, delay: 100ms }\nsources:\n"
            + _GENERATOR.format(name="events", more="") +
            "sinks:\n  out: { input: events, connector: blackhole }\n")


class JobManagerLost(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory(prefix="watershed-jobmanager-lost-")
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)
        self.cluster = Cluster(
            BINARIES, self.directory / "cluster", task_managers=2, slots=1,
            options={"execution.checkpointing.dir": f"file://{self.directory}/checkpoints"})
        self.addCleanup(self.cluster.stop)
        self.cluster.start()

    def submit(self, text: str) -> str:
        """A job of two subtasks a vertex; returns when it runs."""
        path = self.directory / "job.yaml"
        path.write_text(text)
        job = self.cluster.submit(path, {}, parallelism=2)
        self.cluster.wait_state(job, ["RUNNING"])
        return job

    def test_a_cancel_is_not_forgotten(self) -> None:
        job = self.submit(_ENDLESS)
        stopped = self.cluster.task_managers[0].pid
        os.kill(stopped, signal.SIGSTOP)  # so that the job cannot end before the JobManager does
        try:
            done = self.cluster.wsctl("cancel", "--detached", job)
            self.cluster.kill_job_manager()
        finally:
            os.kill(stopped, signal.SIGCONT)
        self.assertEqual((0, ""), (done.returncode, done.stderr))
        self.assertIn("is CANCELLING", done.stdout)
        seen = set()

        def ended() -> bool:
            seen.add(self.cluster.state(job))
            return "CANCELED" in seen

        self.cluster.wait(ended, "the job to be CANCELED", 30, lambda: f"{seen}")
        self.assertLessEqual(seen, {"CANCELLING", "CANCELED"})
        self.cluster.wait(self.no_task_runs, "its tasks to end", 10)

    def no_task_runs(self) -> bool:
        """Both TaskManagers are registered, and no thread of a task is left in them."""
        listed = self.cluster.rest("/taskmanagers")["taskmanagers"]
        threads = [thread for each in self.cluster.task_managers
                   for thread in pathlib.Path(f"/proc/{each.pid}/task").iterdir()]
        names = [(thread / "comm").read_text().strip() for thread in threads]
        return len(listed) == 2 and not any("events" in name for name in names)


if __name__ == "__main__":
    unittest.main()
