"""A checkpoint storage that is full, or may not be written: each checkpoint fails with a reason that names
subtask and file, the job goes on, and the next checkpoint after that is over completes."""

import errno
import os
import pathlib
import resource
import subprocess
import tempfile
import unittest

from cluster import Cluster
from scenario import BINARIES

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


class SmallFilesystem:
    """A filesystem of its own, which can be filled and made read-only. Needs the right to mount."""

    name = "a small filesystem"
    full = os.strerror(errno.ENOSPC)

    def __init__(self, path: pathlib.Path, cluster: Cluster) -> None:
        self.path = path
        self._cluster = cluster

    @staticmethod
    def works(path: pathlib.Path) -> bool:
        """Mounts it, if that is allowed here."""
        return subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(path)],
                              capture_output=True, check=False).returncode == 0

    def close(self) -> None:
        """Whatever still uses it."""
        subprocess.run(["umount", "--lazy", str(self.path)], check=True)

    def fill(self) -> None:
        """To the last byte."""
        with open(self.path / "ballast", "wb", buffering=0) as ballast:
            try:
                while ballast.write(bytes(1 << 16)):
                    pass
            except OSError as error:
                assert error.errno == errno.ENOSPC, error

    def make_space(self) -> None:
        """Again."""
        (self.path / "ballast").unlink()

    def forbid_writing(self) -> None:
        """Of anything in it."""
        # Not while a file is being written.
        self._cluster.wait(lambda: self._remount("ro") == 0, "the filesystem to be read-only", 30)

    def allow_writing(self) -> None:
        """Again."""
        assert self._remount("rw") == 0

    def _remount(self, how: str) -> int:
        return subprocess.run(["mount", "-o", f"remount,{how}", str(self.path)],
                              capture_output=True, check=False).returncode


class LimitedProcesses:
    """What any user can do: a limit on the size of files, and a folder that is none."""

    name = "limits of the processes"
    full = os.strerror(errno.EFBIG)

    def __init__(self, path: pathlib.Path, cluster: Cluster) -> None:
        self.path = path
        self._cluster = cluster

    def close(self) -> None:
        """Nothing to do."""

    def fill(self) -> None:
        """No file of a TaskManager grows beyond a few bytes."""
        self._limit(64)

    def make_space(self) -> None:
        """Again."""
        self._limit(resource.RLIM_INFINITY)

    def forbid_writing(self) -> None:
        """In the folders of jobs."""
        for folder in self.path.iterdir():
            folder.rename(self.path.with_name(folder.name))
            folder.write_text("in its place")

    def allow_writing(self) -> None:
        """Again."""
        for file in self.path.iterdir():
            file.unlink()
            self.path.with_name(file.name).rename(file)

    def _limit(self, size: int) -> None:
        for process in self._cluster.task_managers:
            _, hard = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size, hard))


class FullDisk(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory(prefix="watershed-full-disk-")
        self.addCleanup(directory.cleanup)
        root = pathlib.Path(directory.name)
        checkpoints = root / "checkpoints"
        checkpoints.mkdir()
        self.cluster = Cluster(BINARIES, root / "cluster", task_managers=2, slots=1,
                               options={"execution.checkpointing.dir": f"file://{checkpoints}"})
        may_mount = not os.environ.get("WATERSHED_NO_MOUNT") and SmallFilesystem.works(checkpoints)
        self.disk = (SmallFilesystem if may_mount else LimitedProcesses)(checkpoints, self.cluster)
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
