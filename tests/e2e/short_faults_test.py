"""A zombie, a table that is locked for longer than three time-outs, and everything away at once, under jobs
that write real PostgreSQL and Kafka: they go on by themselves, and each row is there once. Of each a short
version; ./dev faults --kind has the long one."""

import pathlib
import shutil
import sys
import tempfile
import unittest

from scenario import ROOT

sys.path.insert(0, str(ROOT / "tests" / "faults"))

from outages import KINDS, SINK_OPTIONS, Outages  # noqa: E402  (found through the line above)
from pipeline import Pipeline  # noqa: E402  (found through the lines above)

_EVENTS = 150_000


class ShortFaults(unittest.TestCase):
    def test_each_row_is_there_once(self) -> None:
        directory = pathlib.Path(tempfile.mkdtemp(prefix="watershed-short-faults-"))
        directory.chmod(0o711)  # PostgreSQL runs as another user when this is root
        self.addCleanup(shutil.rmtree, directory, ignore_errors=True)
        pipeline = Pipeline(directory, seed=5, events=_EVENTS, sink_options=SINK_OPTIONS)
        self.addCleanup(pipeline.stop)
        outages = Outages(pipeline, _EVENTS // 10)
        outages.go_on()
        for kind in KINDS:
            outages.strike(kind)
        pipeline.finish(timeout_s=120)
        for target, rows in pipeline.compare().items():
            with self.subTest(target=target):
                self.assertEqual((0, 0, 0), (rows.lost, rows.duplicated, rows.invented), rows.examples)


if __name__ == "__main__":
    unittest.main()
