"""Every verb that needs a JobManager ends with 4, and says so in one line, where there is none."""

import concurrent.futures
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

from scenario import BINARIES

# Some wait half a minute for one that may come back.
_OF_A_CLUSTER = [
    "submit {dir}/job.yaml", "list", "get endless", "get taskmanagers", "get checkpoints endless",
    "get endless --watch", "cancel endless", "stop endless", "savepoint endless",
    "savepoint --dispose file://{dir}/savepoints/savepoint-1", "checkpoint endless", "metrics",
    "metrics --taskmanager nobody", "top", "logs", "logs --follow", "log-level", "log-level info",
    "version --cluster"]
# doctor tells in its findings that there is none, and Tab prints no errors.
_WITHOUT_A_CLUSTER = {"lint", "explain", "doctor", "run", "completion", "candidates", "help", "reference"}
_JOB = """kind: Job
name: endless
sources: { events: { connector: datagen, columns: { host: string } } }
sinks: { out: { input: events, connector: blackhole } }
"""


class WsctlUnreachable(unittest.TestCase):
    def test_every_verb_of_a_cluster(self) -> None:
        with tempfile.TemporaryDirectory(prefix="watershed-unreachable-") as directory:
            (pathlib.Path(directory) / "job.yaml").write_text(_JOB)
            lines = [line.replace("{dir}", directory) for line in _OF_A_CLUSTER]
            with concurrent.futures.ThreadPoolExecutor(len(lines)) as pool:
                ended = list(pool.map(self.wsctl, lines))
        for line, done in zip(_OF_A_CLUSTER, ended, strict=True):
            with self.subTest(line=line):
                self.assertEqual((4, ""), (done.returncode, done.stdout), done.stderr)
                self.assertRegex(done.stderr, r"error: no JobManager can be reached at localhost:1 .*\n\Z")

    def test_no_verb_is_missing(self) -> None:
        verbs = {verb["name"] for verb in json.loads(self.wsctl("reference -o json").stdout)["commands"]}
        self.assertEqual(verbs - _WITHOUT_A_CLUSTER, {line.split()[0] for line in _OF_A_CLUSTER})

    def wsctl(self, line: str) -> subprocess.CompletedProcess:
        """As a person would, with an address at which nobody listens."""
        return subprocess.run([str(BINARIES / "wsctl"), *line.split()], capture_output=True, text=True,
                              env={**os.environ, "WSCTL_JOBMANAGER": "localhost:1"}, timeout=110, check=False)


if __name__ == "__main__":
    unittest.main()
