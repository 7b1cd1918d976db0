"""A checkpoint storage that is full, or may not be written: each checkpoint fails with a reason that names
subtask and file, the job goes on, and the next checkpoint after that is over completes."""

import errno
import os
import pathlib
import tempfile
import unittest

from cluster import Cluster
from scenario import BINARIES
import small_disk

_JOB = """kind: Job
name: counting
checkpointing: { interval: 200ms }
sources:
  events:
    connector: datagen
    rows-per-second: 20000
    keys: 20000
    columns: { ip: string, event_time: timestamp }
    watermark: { column: event_time, delay: 1s }
operators:
  counts: { input: events, type: tumbling-window, size: 10min, key: [ip],
            aggregate: { hits: count(ip) } }
sinks:
  out: { input: counts, connector: blackhole }
"""


class FullDisk(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory(prefix="watershed-full-disk-")
        self.addCleanup(directory.cleanup)
        root = pathlib.Path(directory.name)
        checkpoints = root / "checkpoints"
        checkpoints.mkdir()
        self.cluster = Cluster(BINARIES, root / "cluster", task_managers=2, slots=1,
                               options={"execution.checkpointing.dir": f"file://{checkpoints}"})
        self.disk = small_disk.at(checkpoints, self.cluster)
        print(f"with {self.disk.name}", flush=True)
        self.addCleanup(self.disk.close)
        self.addCleanup(self.cluster.stop)
        self.cluster.start()
        (root / "job.yaml").write_text(_JOB)
        self.job = self.cluster.submit(root / "job.yaml", {}, parallelism=2)
        self.cluster.wait_state(self.job, ["RUNNING"])
        self.wait_for("completed", 2)

    def wait_for(self, count: str, more: int) -> None:
        """Until so many more checkpoints have completed or failed."""
        self.cluster.wait_checkpoints(self.job, more, count)

    def assert_fails_by_name(self, reason: str) -> None:
        """The subtask, the file and what is wrong; and the job goes on."""
        self.wait_for("failed", 2)
        latest = self.cluster.rest(f"/jobs/{self.job}/checkpoints")["latest"]
        failure = latest["failed"]["failure_message"]
        self.assertRegex(failure, r"\([12]/2\): .*" + reason)
        self.assertIn(str(self.disk.path), failure)
        self.assertRegex(self.cluster.wsctl("get", self.job).stdout, reason)
        before = self.cluster.job(self.job)["records-in"]
        self.cluster.wait(lambda: self.cluster.job(self.job)["records-in"] > before, "rows", 30)

    def assert_heals(self) -> None:
        """Without a restart."""
        self.wait_for("completed", 2)
        status = self.cluster.job(self.job)
        self.assertEqual(("RUNNING", 0), (status["state"], status["restarts"]), status)

    def test_a_full_disk(self) -> None:
        self.disk.fill()
        self.assert_fails_by_name(self.disk.full)
        self.disk.make_space()
        self.assert_heals()

    def test_a_directory_that_may_not_be_written(self) -> None:
        self.disk.forbid_writing()
        self.assert_fails_by_name(
            f"({os.strerror(errno.EROFS)}|{os.strerror(errno.ENOTDIR)})")
        self.disk.allow_writing()
        self.assert_heals()


if __name__ == "__main__":
    unittest.main()
