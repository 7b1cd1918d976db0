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


_ONE_ENDS = ("kind: Job\nname: one-ends\ncheckpointing: { interval: 100ms }\nsources:\n"
             + _GENERATOR.format(name="short", more="number-of-rows: 20\n    ")
             + _GENERATOR.format(name="events", more="") +
             "sinks:\n  short_out: { input: short, connector: blackhole }\n"
             "  out: { input: events, connector: blackhole }\n")


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
        self.assertFalse(self.no_task_runs())
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

    def test_finished_tasks_do_not_run_again(self) -> None:
        job = self.submit(_ONE_ENDS)
        self.cluster.wait(lambda: self.tasks(job)["FINISHED"] == 2, "the short source to finish", 30)
        for _ in range(2):
            self.cluster.kill_job_manager()
            self.cluster.wait_state(job, ["RUNNING"])
            status = self.cluster.job(job)
            self.assertEqual((1, 0), (status["attempt"], status["restarts"]), status)
            self.assertEqual(2, self.tasks(job)["FINISHED"])
            self.cluster.wait_checkpoints(job, 2)
        # What was finished is in the checkpoints, so a restart does not read it again either.
        self.cluster.kill_task_manager(self.cluster.task_managers[0])
        self.cluster.wait(lambda: self.cluster.job(job)["attempt"] == 2, "the restart", 30)
        self.cluster.wait(lambda: self.tasks(job)["FINISHED"] == 2, "the short source to finish", 30)
        (short,) = (vertex for vertex in self.cluster.rest(f"/jobs/{job}")["vertices"]
                    if "short" in vertex["name"])
        self.assertEqual(0, short["metrics"]["write-records"])

    def test_counts_go_on(self) -> None:
        job = self.submit(_ENDLESS)
        self.cluster.wait_checkpoints(job, 2)
        self.cluster.kill_task_manager(self.cluster.task_managers[0])
        self.cluster.wait(lambda: self.cluster.job(job)["restarts"] == 1, "the restart", 30)
        self.cluster.wait_state(job, ["RUNNING"])
        self.cluster.wait_checkpoints(job, 2)
        before = self.cluster.checkpoints(job)
        self.cluster.kill_job_manager()
        self.cluster.wait_state(job, ["RUNNING"])
        status = self.cluster.job(job)
        self.assertEqual((2, 1), (status["attempt"], status["restarts"]), status)
        self.assertIn("lost", status["last-restart-reason"])
        after = self.cluster.checkpoints(job)
        for name in ("total", "completed", "restored"):
            self.assertGreaterEqual(after[name], before[name], f"{before} -> {after}")
        self.cluster.wait_checkpoints(job, 1)
        metrics = {name: value for name, labels, value in self.cluster.job_manager.metrics()
                   if labels.get("job_id") == job}
        self.assertEqual(1, metrics["flink_jobmanager_job_numRestarts"])
        self.assertGreater(metrics["flink_jobmanager_job_numberOfCompletedCheckpoints"],
                           before["completed"])

    def test_a_checkpoint_by_subtask(self) -> None:
        job = self.submit(_ENDLESS)
        self.cluster.wait_checkpoints(job, 1)
        shown = f"/jobs/{job}/checkpoints"
        latest = self.cluster.rest(shown)["latest"]["completed"]
        details = self.cluster.rest(f"{shown}/details/{latest['id']}")
        ((vertex, task),) = details["tasks"].items()
        self.assertEqual((2, 2), (task["num_subtasks"], task["num_acknowledged_subtasks"]))
        subtasks = self.cluster.rest(f"{shown}/details/{latest['id']}/subtasks/{vertex}")["subtasks"]
        for subtask in subtasks:
            self.assertLessEqual(latest["trigger_timestamp"], subtask["ack_timestamp"])
            self.assertLessEqual(subtask["ack_timestamp"], latest["latest_ack_timestamp"])
        self.assertEqual([0, 1], [subtask["index"] for subtask in subtasks])

    def tasks(self, job: str) -> dict[str, int]:
        """How many subtasks are in which state."""
        totals: dict[str, int] = {}
        for vertex in self.cluster.rest(f"/jobs/{job}")["vertices"]:
            for state, count in vertex["tasks"].items():
                totals[state] = totals.get(state, 0) + count
        return totals

    def no_task_runs(self) -> bool:
        """Both TaskManagers are registered, and no thread of a task is left in them."""
        listed = self.cluster.rest("/taskmanagers")["taskmanagers"]
        return len(listed) == 2 and not any(
            process.task_threads() for process in self.cluster.task_managers)


if __name__ == "__main__":
    unittest.main()
