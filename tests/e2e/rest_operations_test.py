"""Savepoints, stops, checkpoints and disposals over REST, as scripts written for Flink ask for them, on a
real cluster. The job generates its rows: no peers are needed."""

import concurrent.futures
import json
import pathlib
import tempfile
import unittest

from cluster import Cluster
from scenario import BINARIES

# No watermark ever comes to the end of its windows: only a drain lets them fire.
_JOB = """kind: Job
name: by-host
checkpointing: { interval: 1h }
sources:
  events:
    connector: datagen
    rows-per-second: 1000
    columns: { host: string, event_time: timestamp }
    watermark: { column: event_time, delay: 15s }
operators:
  by_host:
    input: events
    type: tumbling-window
    size: 7d
    key: [host]
    aggregate: { num_hits: count(host) }
sinks:
  out: { input: by_host, connector: blackhole }
"""
_TRIGGER = "0A0B0C0D0E0F00010203040506070809"
_UNKNOWN = "f" * 32


class RestOperations(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory(prefix="watershed-rest-operations-")
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)
        self.savepoints = self.directory / "savepoints"
        self.job_file = self.directory / "job.yaml"
        self.job_file.write_text(_JOB)
        self.cluster = Cluster(
            BINARIES, self.directory / "cluster", task_managers=1, slots=2,
            options={"execution.checkpointing.dir": f"file://{self.directory}/checkpoints",
                     "execution.checkpointing.savepoint-dir": f"file://{self.savepoints}"})
        self.addCleanup(self.cluster.stop)
        self.cluster.start()

    def test_of_a_job_from_its_first_checkpoint_to_its_last_savepoint(self) -> None:
        job = self.submit()
        checkpoint = self.result(f"/jobs/{job}/checkpoints", *self.ask(f"/jobs/{job}/checkpoints"))
        self.assertEqual({"checkpointId": 1}, checkpoint)
        savepoint = self.take_savepoint_twice(job)
        self.check_history(job, savepoint)
        self.assertEqual(0, self.cluster.job(job)["records-out"])
        drained = self.drain_without_losing_sight(job)
        self.assertEqual("FINISHED", self.cluster.state(job))
        self.assertGreater(self.cluster.job(job)["records-out"], 0)
        self.assert_refused(409, "has ended: it is FINISHED", "POST", f"/jobs/{job}/stop", "{}")
        self.dispose(drained)

        job = self.submit(savepoint)
        restored = self.cluster.rest(f"/jobs/{job}/checkpoints")["latest"]["restored"]
        self.assertEqual((True, savepoint), (restored["is_savepoint"], restored["external_path"]))
        stop = self.ask(f"/jobs/{job}/savepoints", {"cancel-job": True})
        last = self.result(f"/jobs/{job}/savepoints", *stop)["location"]
        self.assertEqual("FINISHED", self.cluster.state(job))
        self.assertEqual(0, self.cluster.job(job)["records-out"])
        self.assertEqual({self.path(savepoint), self.path(last)},
                         set(self.savepoints.iterdir()) - self.left_by_the_killed(drained))

    def test_what_cannot_be(self) -> None:
        job = self.submit()
        jobs = f"/jobs/{job}"
        self.assert_refused(400, "not valid JSON", "POST", f"{jobs}/savepoints", "{")
        self.assert_refused(400, "unknown field 'drain'", "POST", f"{jobs}/savepoints",
                            '{"drain": true}')
        self.assert_refused(413, "too large", "POST", f"{jobs}/stop", " " * 70_000)
        self.assert_refused(400, "s3", "POST", f"{jobs}/stop", '{"targetDirectory": "s3://b/x"}')
        self.assert_refused(404, _UNKNOWN, "POST", f"/jobs/{_UNKNOWN}/checkpoints")
        self.assert_refused(404, _UNKNOWN, "GET", f"{jobs}/savepoints/{_UNKNOWN}")
        self.assert_refused(404, _UNKNOWN, "GET", f"/savepoint-disposal/{_UNKNOWN}")
        self.assert_refused(405, "POST", "GET", f"{jobs}/stop")
        # What fails only while it is done is told by the poll. Nobody can write below a file.
        blocked = self.directory / "blocked"
        blocked.write_text("")
        status, answer = self.cluster.rest_call("POST", f"{jobs}/savepoints",
                                                json.dumps({"target-directory": f"file://{blocked}/x"}))
        self.assertIn(status, (400, 500))
        self.assertIn("blocked", answer["errors"][0])
        self.assertEqual("RUNNING", self.cluster.state(job))
        self.assertEqual(0, self.cluster.checkpoints(job)["total"])

    def submit(self, restore: str | None = None) -> str:
        """And waits until rows have come to its windows."""
        job = self.cluster.submit(self.job_file, {}, parallelism=2, restore=restore)
        self.cluster.wait_state(job, ["RUNNING"])
        self.cluster.wait(lambda: self.cluster.job(job)["records-in"] > 100, "rows", 30)
        return job

    def ask(self, path: str, fields: dict | None = None) -> tuple[int, dict]:
        """Of a POST with these fields, or without a body."""
        return self.cluster.rest_call("POST", path, "" if fields is None else json.dumps(fields))

    def result(self, path: str, status: int, accepted: dict) -> dict:
        """What has come of it, when it is done."""
        self.assertEqual((202, ["request-id"]), (status, list(accepted)), accepted)
        answer: dict = {}

        def is_done() -> bool:
            nonlocal answer
            code, answer = self.cluster.rest_call("GET", f"{path}/{accepted['request-id']}")
            self.assertEqual(200, code, answer)
            return answer["status"]["id"] == "COMPLETED"

        self.cluster.wait(is_done, f"{path} to be COMPLETED", 30, lambda: f"{answer}")
        return answer["operation"]

    def take_savepoint_twice(self, job: str) -> str:
        """As a client does that is not sure whether it was heard. The path of the one savepoint."""
        path, fields = f"/jobs/{job}/savepoints", {"formatType": "CANONICAL", "triggerId": _TRIGGER}
        with concurrent.futures.ThreadPoolExecutor() as clients:
            answers = list(clients.map(lambda _: self.ask(path, fields), range(2)))
        self.assertEqual([(202, {"request-id": _TRIGGER.lower()})] * 2, answers)
        location = self.result(path, *answers[0])["location"]
        self.assertEqual(answers[0], self.ask(path, fields))
        self.assertEqual([self.path(location)], list(self.savepoints.iterdir()))
        self.assertTrue((self.path(location) / "_metadata").exists())
        return location

    def check_history(self, job: str, savepoint: str) -> None:
        """Of one checkpoint, then one savepoint."""
        shown = self.cluster.rest(f"/jobs/{job}/checkpoints")
        self.assertEqual({"restored": 0, "total": 2, "in_progress": 0, "completed": 2, "failed": 0},
                         shown["counts"])
        self.assertEqual([2, 1], [each["id"] for each in shown["history"]])
        self.assertEqual(shown["history"], [shown["latest"][which] for which in ("savepoint", "completed")])
        self.assertEqual([(True, "SAVEPOINT"), (False, "CHECKPOINT")],
                         [(each["is_savepoint"], each["checkpoint_type"]) for each in shown["history"]])
        self.assertEqual(savepoint, shown["latest"]["savepoint"]["external_path"])

    def drain_without_losing_sight(self, job: str) -> str:
        """Stops it with drain, while the JobManager is killed. The path of its savepoint."""
        accepted = self.ask(f"/jobs/{job}/stop", {"drain": True})
        self.cluster.kill_job_manager()
        return self.result(f"/jobs/{job}/savepoints", *accepted)["location"]

    def left_by_the_killed(self, drained: str) -> set[pathlib.Path]:
        """What a JobManager had written that was killed before it could note it: named nowhere."""
        operation = drained.rsplit("-", 1)[1]
        return set(self.savepoints.glob(f"savepoint-*-{operation}"))

    def dispose(self, savepoint: str) -> None:
        """And once more, in vain."""
        for status, reason in ((200, ""), (500, "there is no savepoint at")):
            code, accepted = self.ask("/savepoint-disposal", {"savepoint-path": savepoint})
            self.assertEqual((200, ["request-id"]), (code, list(accepted)), accepted)
            poll = f"/savepoint-disposal/{accepted['request-id']}"
            self.cluster.wait(lambda: "IN_PROGRESS" not in str(self.cluster.rest_call("GET", poll)),
                              "the disposal", 30)
            code, answer = self.cluster.rest_call("GET", poll)
            self.assertEqual(status, code, answer)
            self.assertIn(reason, answer.get("errors", [""])[0])
            self.assertFalse(self.path(savepoint).exists())

    def assert_refused(self, status: int, reason: str, *call: str) -> None:
        """With this status, in Flink's shape, for this reason."""
        code, answer = self.cluster.rest_call(*call)
        self.assertEqual((status, ["errors"]), (code, list(answer)), f"{call}: {answer}")
        self.assertIn(reason, answer["errors"][0])

    def path(self, uri: str) -> pathlib.Path:
        """Of a file:// URI, as all are here."""
        self.assertTrue(uri.startswith("file://"), uri)
        return pathlib.Path(uri.removeprefix("file://"))


if __name__ == "__main__":
    unittest.main()
