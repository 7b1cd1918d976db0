"""A folder that can be full, or may not be written: a filesystem of its own, or what any user can do instead."""

import errno
import os
import pathlib
import resource
import subprocess

from cluster import Cluster


def at(path: pathlib.Path, cluster: Cluster) -> "SmallFilesystem | LimitedProcesses":
    """In this folder, which is empty. WATERSHED_NO_MOUNT chooses what needs no right to mount."""
    may_mount = not os.environ.get("WATERSHED_NO_MOUNT") and SmallFilesystem.works(path)
    return (SmallFilesystem if may_mount else LimitedProcesses)(path, cluster)


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
