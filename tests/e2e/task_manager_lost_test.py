"""A TaskManager that is lost: whose process is gone, at once; one that is silent, after the heartbeat
timeout. One that wakes up again finds that nobody wants what it runs. One that is asked to end sees its
tasks move first."""

import os
import pathlib
import re
import signal
import tempfile
import unittest

from cluster import Cluster, Process
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
sinks:
  out: { input: events, connector: blackhole }
"""


class TaskManagerLost(unittest.TestCase):
    def start(self, heartbeat_timeout: str) -> str:
        """A job of two tasks on three TaskManagers of one slot each; returns when it runs."""
        directory = tempfile.TemporaryDirectory(prefix="watershed-taskmanager-lost-")
        self.addCleanup(directory.cleanup)
        root = pathlib.Path(directory.name)
        self.cluster = Cluster(
            BINARIES, root / "cluster", task_managers=3, slots=1,
            options={"execution.checkpointing.dir": f"file://{root}/checkpoints",
                     "heartbeat.timeout": heartbeat_timeout})
        self.addCleanup(self.cluster.stop)
        self.cluster.start()
        (root / "job.yaml").write_text(_JOB)
        job = self.cluster.submit(root / "job.yaml", {}, parallelism=2)
        self.cluster.wait_state(job, ["RUNNING"])
        self.cluster.wait_checkpoints(job, 2)
        return job

    def wait_for_restart(self, job: str) -> str:
        """Until the job runs as another attempt; returns why."""
        self.cluster.wait(lambda: self.cluster.job(job)["attempt"] > 1, "a restart", 30)
        self.cluster.wait_state(job, ["RUNNING"])
        self.cluster.wait_checkpoints(job, 2)
        status = self.cluster.job(job)
        self.assertGreater(status["checkpoints"]["restored"]["id"], 0, status)
        return status["last-restart-reason"]

    def victim(self) -> tuple:
        """A TaskManager that runs a task: the process and its id."""
        for listed in self.cluster.rest("/taskmanagers")["taskmanagers"]:
            if listed["freeSlots"] == 0:
                return self.process_of(listed["id"]), listed["id"]
        raise AssertionError("no TaskManager runs a task")

    def process_of(self, task_manager: str) -> Process:
        """By its id."""
        port = self.cluster.rest(f"/taskmanagers/{task_manager}")["dataPort"]
        return next(each for each in self.cluster.task_managers if each.ports["rpc"] == port)

    def registered(self) -> set[str]:
        """The ids."""
        return {each["id"] for each in self.cluster.rest("/taskmanagers")["taskmanagers"]}

    def test_a_process_that_is_gone_is_lost_at_once(self) -> None:
        job = self.start(heartbeat_timeout="10min")  # which would be too late for this test
        process, dead = self.victim()
        process.end(signal.SIGKILL)
        reason = self.wait_for_restart(job)
        self.assertIn(f"TaskManager {dead} was lost: its connection broke", reason)
        self.assertNotIn(dead, self.registered())

    def test_a_silent_one_is_lost_and_may_come_back(self) -> None:
        job = self.start(heartbeat_timeout="1s")
        process, silent = self.victim()
        os.kill(process.pid, signal.SIGSTOP)
        self.addCleanup(os.kill, process.pid, signal.SIGCONT)
        reason = self.wait_for_restart(job)
        self.assertIn(f"TaskManager {silent} was lost: no heartbeat for 1s", reason)
        self.assertNotIn(silent, self.registered())
        attempt = self.cluster.job(job)["attempt"]
        self.assertTrue(process.task_threads())  # it does not know yet
        os.kill(process.pid, signal.SIGCONT)
        self.cluster.wait(lambda: silent in self.registered(), "it to register again", 30)
        self.cluster.wait(lambda: not process.task_threads(), "its old tasks to end", 30)
        self.cluster.wait_checkpoints(job, 3)
        status = self.cluster.job(job)
        self.assertEqual(("RUNNING", attempt), (status["state"], status["attempt"]), status)

    def test_one_that_is_asked_to_end_hands_its_tasks_on_with_a_checkpoint(self) -> None:
        job = self.start(heartbeat_timeout="10min")
        process, leaving = self.victim()
        exit_code = process.end(signal.SIGTERM)
        reason = self.wait_for_restart(job)
        self.assertEqual(0, exit_code)
        moved = re.fullmatch(f"TaskManager {leaving} is leaving: its tasks move with checkpoint ([0-9]+)",
                             reason)
        self.assertIsNotNone(moved, reason)
        status = self.cluster.job(job)
        self.assertEqual(int(moved.group(1)), status["checkpoints"]["restored"]["id"], status)
        self.check_has_left(leaving)

    def test_an_idle_one_that_is_asked_to_end_leaves(self) -> None:
        self.start(heartbeat_timeout="10min")
        _, busy = self.victim()
        [idle] = [each["id"] for each in self.cluster.rest("/taskmanagers")["taskmanagers"]
                  if each["freeSlots"] > 0]
        self.assertNotEqual(busy, idle)
        self.assertEqual(0, self.process_of(idle).end(signal.SIGTERM))
        self.check_has_left(idle)

    def check_has_left(self, task_manager: str) -> None:
        """The JobManager has seen it leave in order."""
        self.cluster.wait(lambda: task_manager not in self.registered(), "it to go", 30)
        log = self.cluster.job_manager.log.read_text()
        self.assertRegex(log, rf"INFO.* TaskManager {re.escape(task_manager)} has left")
        self.assertNotIn(f"TaskManager {task_manager} is lost", log)


if __name__ == "__main__":
    unittest.main()
