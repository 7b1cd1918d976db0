"""A zombie, a table that is locked for longer than three time-outs, everything away at once, checkpoints that are
damaged, disks that are full, fail or are slow, wrong clocks, other parallelisms, under jobs that write
real PostgreSQL and Kafka: they go on by themselves, and each row is there once. Of each kind a short version;
./dev faults --kind has the long one."""

import pathlib
import random
import shutil
import sys
import tempfile
import unittest

from scenario import ROOT

sys.path.insert(0, str(ROOT / "tests" / "faults"))

import partitions  # noqa: E402  (found through the line above)
from kinds import GROUPS  # noqa: E402  (found through the line above)
from pipeline import Pipeline  # noqa: E402  (found through the lines above)
from stage import Stage  # noqa: E402

_EVENTS = 150_000


class ShortFaults(unittest.TestCase):
    def test_outages(self) -> None:
        self.strike_each("outages")

    def test_damage(self) -> None:
        self.strike_each("damage")

    def test_disks(self) -> None:
        self.strike_each("disks")

    def test_clocks(self) -> None:
        self.strike_each("clocks")

    def test_rescales(self) -> None:
        self.strike_each("rescales")

    def test_commits(self) -> None:
        self.strike_each("commits")

    @unittest.skipUnless(partitions.works(), "NOT RUN: network namespaces cannot be made here")
    def test_partitions(self) -> None:
        self.strike_each("partitions")

    def strike_each(self, group: str) -> None:
        """Kind of a group, under the same jobs."""
        directory = pathlib.Path(tempfile.mkdtemp(prefix=f"watershed-{group}-"))
        directory.chmod(0o711)  # PostgreSQL runs as another user when this is root
        self.addCleanup(shutil.rmtree, directory, ignore_errors=True)
        kinds = list(GROUPS[group].values())
        pipeline = Pipeline(directory, seed=5, events=_EVENTS, setting=kinds[0].setting)
        self.addCleanup(pipeline.stop)
        stage = Stage(pipeline, _EVENTS // 10, random.Random(5))
        stage.go_on()
        for kind in kinds:
            for _ in range(kind.short):
                kind.strike(stage)
        pipeline.finish(timeout_s=120)
        for target, rows in pipeline.compare().items():
            with self.subTest(target=target):
                self.assertEqual((0, 0, 0), (rows.lost, rows.duplicated, rows.invented), rows.examples)


if __name__ == "__main__":
    unittest.main()
