"""librdkafka's mock broker, where a broker that guarantees nothing is enough."""

import pathlib
import subprocess

from .process import PeerError


class MockKafka:
    """Starts on construction with one topic; stop() ends it."""

    def __init__(self, binary: pathlib.Path, topic: str, partitions: int) -> None:
        self._process = subprocess.Popen(
            [str(binary), topic, str(partitions)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True, start_new_session=True)
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().strip()
        if not self.url:
            raise PeerError(f"{binary} did not start")

    def exited(self) -> bool:
        """Whether it has gone by itself."""
        return self._process.poll() is not None

    def stop(self) -> None:
        """The end of its input ends it; so does the death of this process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)
