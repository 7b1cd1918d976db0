"""Jobs that are stopped, cancelled and killed on the way, and go on at another parallelism from savepoints
and from retained checkpoints: every window's row is there once, as the reference has it."""

import json
import re
import subprocess
import threading
import unittest

from cluster import ENDED, Cluster
from scenario import BINARIES, Scenario
from web_traffic import EVENTS, OUTPUTS, checkpointed_job_file, difference, generator, planned_traffic

_EVENTS_SEED = 23
_PORTION = EVENTS // 8  # two windows and more
_TABLES = {name: {table for table, _ in outputs} for name, outputs in OUTPUTS.items()}
_SAVEPOINT = re.compile(r"Savepoint completed\. Path: (\S+)")


class Rescale(unittest.TestCase):
    def setUp(self) -> None:
        self.scenario = scenario = Scenario(self.id().rsplit("_", 1)[-1])
        self.ends, self.expected = planned_traffic(scenario, generator(_EVENTS_SEED))
        self.savepoints = f"file://{scenario.directory}/savepoints"
        self.cluster = Cluster(
            BINARIES, scenario.directory / "cluster", task_managers=2, slots=4,
            options={"execution.checkpointing.dir": f"file://{scenario.directory}/checkpoints",
                     "heartbeat.timeout": "3s"})
        self.addCleanup(self.cluster.stop)
        self.cluster.start()

    def test_through_savepoints(self) -> None:
        """They are the only checkpoints of these jobs, so that all output of a leg waits for them."""
        self.begin(interval="1h")
        # 1 -> 2: the JobManager is killed while the jobs are being stopped. They cannot end meanwhile:
        # nothing of what the savepoints list can be written.
        self.load_and_read()
        with self.scenario.locked(*set().union(*_TABLES.values())):
            stops = {name: self.begin_stop(job) for name, job in self.jobs.items()}
            self.cluster.wait(self.output_is_pending, "output to be pending", 60)
            self.await_being_stopped()
            self.cluster.kill_job_manager()
            self.await_being_stopped()
        paths = {name: self.path_of(stop) for name, stop in stops.items()}
        for job in self.jobs.values():
            self.cluster.wait_state(job, ["FINISHED"])
        self.go_on_from(paths, 2)
        # 2 -> 4: nothing of what the savepoints list can be written before the jobs are gone.
        self.kill_task_manager()
        self.load_and_read()
        with self.scenario.locked(*set().union(*_TABLES.values())):
            paths = self.take_savepoints()
            self.end_with_pending_output()
        self.go_on_from(paths, 4)
        # 4 -> 3: the jobs go on after their savepoints, and read what the restored ones read again.
        self.load_and_read()
        paths = self.take_savepoints()
        self.kill_task_manager()
        self.load_and_read()
        for job in self.jobs.values():
            self.cancel(job)
        self.go_on_from(paths, 3)
        self.end()

    def test_through_retained_checkpoints(self) -> None:
        """Each leg ends with output that its last checkpoint lists and nobody has written."""
        self.begin(interval="1s")
        for parallelism in (2, 4, 3):
            self.load()
            self.checkpoint_on()
            self.kill_task_manager()
            self.checkpoint_on()
            with self.scenario.locked(*set().union(*_TABLES.values())):
                self.load()
                paths = self.end_with_pending_output(kill_job_manager=parallelism == 4)
            self.go_on_from(paths, parallelism)
        self.end()

    def test_a_drained_job_has_fired_every_window(self) -> None:
        """Of all events, without an end of its topic, nor any watermark behind them."""
        self.scenario.load_events(*generator(_EVENTS_SEED))
        for name in OUTPUTS:
            self.scenario.job_file(name, ("operators:\n", "checkpointing: { interval: 1s }\noperators:\n"),
                                   bounded=False)
        jobs = {name: self.submit(name, 2, None) for name in OUTPUTS}
        for job in jobs.values():
            self.cluster.wait(lambda: self.cluster.job(job)["records-in"] == EVENTS, "all events", 120)
        for name, job in jobs.items():
            path = self.path_of(self.begin_stop(job, "--drain"))
            self.assertEqual("FINISHED", self.cluster.state(job))
            refused = self.cluster.wsctl("submit", str(self.scenario.directory / f"{name}.yaml"),
                                         "-s", path, env=self.scenario.env)
            self.assertEqual(2, refused.returncode)
            self.assertIn("--allow-drained", refused.stderr)
            self.assertEqual(0, self.cluster.wsctl("savepoint", "--dispose", path).returncode)
        self.check_rows()

    def begin(self, interval: str) -> None:
        """The jobs at parallelism 1."""
        for name in OUTPUTS:
            checkpointed_job_file(self.scenario, name, self.ends, interval)
        self.loaded = 0
        self.jobs = {name: self.submit(name, 1, None) for name in OUTPUTS}

    def go_on_from(self, paths: dict[str, str], parallelism: int) -> None:
        """The jobs, each from its checkpoint."""
        self.jobs = {name: self.submit(name, parallelism, path) for name, path in paths.items()}

    def load(self, events: int = _PORTION) -> None:
        """The next events."""
        self.scenario.load_events(*generator(_EVENTS_SEED, self.loaded + events), "--skip",
                                  str(self.loaded))
        self.loaded += events

    def load_and_read(self) -> None:
        """Until the attempts that run have read them."""
        self.load()
        for job in self.jobs.values():
            self.cluster.wait(lambda: self.cluster.job(job)["records-in"] >= _PORTION,
                              "the events to be read", 60)

    def end(self) -> None:
        """The rest of the events, and what came of all."""
        self.load(EVENTS - self.loaded)
        for job in self.jobs.values():
            self.cluster.wait_state(job, ["FINISHED"], timeout_s=120)
        self.check_rows()

    def checkpoint_on(self) -> None:
        """Until each job has completed two more checkpoints."""
        for job in self.jobs.values():
            self.cluster.wait_state(job, ["RUNNING"])
            self.cluster.wait_checkpoints(job, 2)

    def take_savepoints(self) -> dict[str, str]:
        """Their paths."""
        asked = {name: self.begin_savepoint(job) for name, job in self.jobs.items()}
        return {name: self.path_of(savepoint) for name, savepoint in asked.items()}

    def end_with_pending_output(self, kill_job_manager: bool = False) -> dict[str, str]:
        """Cancels the jobs once each waits to write what its last checkpoint lists, and kills who
        waits: only who restores can write it then. The paths of those checkpoints."""
        self.cluster.wait(self.output_is_pending, "output to be pending", 60)
        if kill_job_manager:
            self.cluster.kill_job_manager()
            for job in self.jobs.values():
                self.cluster.wait_state(job, ["RUNNING"])
        paths = {name: self.cancel(job) for name, job in self.jobs.items()}
        for task_manager in list(self.cluster.task_managers):
            self.cluster.kill_task_manager(task_manager)
        return paths

    def output_is_pending(self) -> bool:
        """Of each job."""
        awaited = self.scenario.awaited_tables()
        return all(awaited & tables for tables in _TABLES.values())

    def submit(self, name: str, parallelism: int, restore: str | None) -> str:
        """And waits until it runs."""
        job = self.cluster.submit(self.scenario.directory / f"{name}.yaml", self.scenario.env,
                                  parallelism, restore)
        self.cluster.wait_state(job, ["RUNNING", "FINISHED"])
        return job

    def begin_stop(self, job: str, *options: str) -> "Wsctl":
        return Wsctl(self.cluster, "stop", job, "-p", self.savepoints, *options)

    def await_being_stopped(self) -> None:
        """Until each job runs and is being stopped."""
        for job in self.jobs.values():
            self.cluster.wait(lambda: self.is_being_stopped(job), f"the stop of {job}", 30,
                              lambda: f"{self.cluster.job(job)}")

    def is_being_stopped(self, job: str) -> bool:
        """AssertionError if it has ended."""
        shown = self.cluster.job(job)
        self.assertNotIn(shown["state"], ENDED, shown)
        return shown["state"] == "RUNNING" and "being stopped" in shown["status-reason"]

    def kill_task_manager(self) -> None:
        """One that runs tasks of as many jobs as any; until each of these jobs has begun again."""
        listed = self.cluster.wsctl("get", "taskmanagers", "-o", "json")
        self.assertEqual(0, listed.returncode, listed.stderr)
        alive = {process.pid: process for process in self.cluster.task_managers}
        hit = max((each for each in json.loads(listed.stdout)["taskmanagers"] if each["pid"] in alive),
                  key=lambda each: len(each["jobs"]))
        self.assertTrue(hit["jobs"], listed.stdout)
        restarts = {job["job-id"]: self.cluster.job(job["job-id"])["restarts"] for job in hit["jobs"]}
        self.cluster.kill_task_manager(alive[hit["pid"]])
        for job, before in restarts.items():
            self.cluster.wait(lambda: self.cluster.job(job)["restarts"] > before,
                              f"job {job} to restart", 60, lambda: f"{self.cluster.job(job)}")

    def begin_savepoint(self, job: str) -> "Wsctl":
        return Wsctl(self.cluster, "savepoint", job, self.savepoints)

    def path_of(self, asked: "Wsctl") -> str:
        """Of the savepoint that it says to be there."""
        done = asked.result()
        match = _SAVEPOINT.search(done.stdout)
        self.assertTrue(done.returncode == 0 and match,
                        f"exit {done.returncode}\n{done.stdout}{done.stderr}\n{self.cluster.logs()}")
        return match[1]

    def cancel(self, job: str) -> str:
        """The path of its last checkpoint."""
        done = self.cluster.wsctl("cancel", job)
        self.assertEqual(0, done.returncode, done.stderr)
        return self.cluster.job(job)["checkpoints"]["latest-completed"]["path"]

    def check_rows(self) -> None:
        """Each window's, once."""
        for output, rows in self.expected.items():
            with self.subTest(table=output[0]):
                self.assertEqual("", difference(rows, self.scenario.rows(*output)))


class Wsctl:
    """One call of it, beside the test."""

    def __init__(self, cluster: Cluster, *arguments: str) -> None:
        self._result: subprocess.CompletedProcess | None = None
        self._thread = threading.Thread(target=self._run, args=(cluster, arguments))
        self._thread.start()

    def _run(self, cluster: Cluster, arguments: tuple[str, ...]) -> None:
        self._result = cluster.wsctl(*arguments)

    def result(self) -> subprocess.CompletedProcess:
        """Waits for its end."""
        self._thread.join()
        assert self._result is not None
        return self._result


if __name__ == "__main__":
    unittest.main()
