"""That a row which is lost, twice there or invented is seen, and that runs add up."""

import pathlib
import sys
import tempfile
import unittest
from collections import Counter

for folder in ("support", "e2e"):
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / folder))

import report  # noqa: E402  (found through the line above)
from pipeline import Comparison  # noqa: E402  (found through the lines above)
from strikes import Strike  # noqa: E402  (found through the lines above)


class Compared(unittest.TestCase):
    def test_what_is_not_as_expected_is_counted(self) -> None:
        rows = Comparison(Counter({("a",): 1, ("b",): 2, ("c",): 1}), Counter({("a",): 3, ("b",): 1, ("x",): 1}))
        self.assertEqual((4, 5), (rows.expected, rows.found))
        self.assertEqual((2, 2, 1), (rows.lost, rows.duplicated, rows.invented))
        self.assertIn(("x",), rows.examples)


class Totals(unittest.TestCase):
    def test_runs_add_up(self) -> None:
        with tempfile.TemporaryDirectory() as directory:
            file = pathlib.Path(directory) / "runs.md"
            self.assertEqual(Counter(), report.kinds(file))
            strikes = [Strike("taskmanager at file.writes", True, True, 1.5), Strike("broker", False, False, 2.0),
                       Strike("taskmanager at file.writes", True, True)]
            failed = report.Report("A1", 7).failed("not recovered\nlong", strikes)
            self.assertIn("3 faults, 2 hit running jobs, 2 of them", failed)
            table = failed[:failed.index("not ended")]
            file.write_text(f"\n{failed}\n{table}faults=5 lost=0 duplicated=1\n\n{table}faults=2 lost=3 duplicated=0\n",
                            encoding="utf-8")
            self.assertEqual({"taskmanager at file.writes": 4, "broker": 2}, report.kinds(file))
            self.assertEqual(["     2  broker", "     4  taskmanager at file.writes", "2 runs ended, 1 did not",
                              "4 faults within an alignment, a snapshot or a commit",
                              "faults=7 lost=3 duplicated=1"], report.totals(file).splitlines())


    def test_kinds_that_tell_more_add_up(self) -> None:
        with tempfile.TemporaryDirectory() as directory:
            file = pathlib.Path(directory) / "runs.md"
            strikes = [Strike("A5 to Kafka", True, False, 1.5), Strike("A5 from Kafka, jobs restarted", True, False, 2.0)]
            text = report.Report("A5", 7).failed("x", strikes)
            file.write_text(f"\n{text[:text.index('not ended')]}faults=2 lost=0 duplicated=0\n", encoding="utf-8")
            self.assertIn("     2  A5 in all", report.totals(file).splitlines())


if __name__ == "__main__":
    unittest.main()
