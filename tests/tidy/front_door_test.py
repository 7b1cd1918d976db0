"""./dev says how it is used instead of doing something else."""

import pathlib
import subprocess
import unittest

_ROOT = pathlib.Path(__file__).resolve().parents[2]


def _dev(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([str(_ROOT / "dev"), *arguments], capture_output=True, text=True, timeout=30,
                          check=False)


class FrontDoor(unittest.TestCase):
    def test_help_lists_the_verbs(self) -> None:
        for arguments in ((), ("help",), ("--help",)):
            done = _dev(*arguments)
            self.assertEqual((0, ""), (done.returncode, done.stderr))
            self.assertIn("Usage: ./dev VERB", done.stdout)

    def test_lint_lints_nothing_when_it_is_asked_for_help(self) -> None:
        done = _dev("lint", "--help")
        self.assertEqual((0, ""), (done.returncode, done.stderr))
        self.assertTrue(done.stdout.startswith("Usage: ./dev lint"), done.stdout)

    def test_what_is_unknown_is_named(self) -> None:
        for arguments in (("lnit",), ("lint", "--hlep")):
            done = _dev(*arguments)
            self.assertEqual(2, done.returncode)
            self.assertIn(arguments[-1], done.stderr)
            self.assertIn("Usage: ", done.stderr)


if __name__ == "__main__":
    unittest.main()
