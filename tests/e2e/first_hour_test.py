"""docs/first-hour.md, command by command, against a real cluster: what the page says is what happens."""

import dataclasses
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

from cluster import Cluster
from scenario import BINARIES, ROOT

_PAGE = ROOT / "docs" / "first-hour.md"


@dataclasses.dataclass
class Step:
    """A command of the page, and what it prints."""

    line: int
    command: str
    output: list[str]
    code: int = 0


def steps_of(page: str) -> list[Step]:
    """What stands in its ```console blocks: "$ command", "> more of it", output, "[exit code]"."""
    steps: list[Step] = []
    inside = False
    for number, text in enumerate(page.splitlines(), 1):
        if text.startswith("```"):
            inside = text == "```console"
        elif not inside:
            continue
        elif text.startswith("$ "):
            steps.append(Step(number, text[2:], []))
        elif text.startswith("> ") and not steps[-1].output:
            steps[-1].command += "\n" + text[2:]
        elif code := re.fullmatch(r"\[(\d+)\]", text):
            steps[-1].code = int(code[1])
        else:
            steps[-1].output.append(text)
    return steps


def pattern_of(lines: list[str], known: dict[str, str]) -> str:
    """Blanks between words may be more; see the page's head for the rest."""
    pattern = ""
    named: set[str] = set()
    for line in lines:
        if line == "…":
            pattern += r"(?:.*\n)*?"
            continue
        for part in re.split(r"(…|<[A-Z0-9]+>| +)", line):
            name = part[1:-1]
            if part == "…":
                pattern += ".*"
            elif part.startswith("<") and name in known:
                pattern += re.escape(known[name])
            elif part.startswith("<") and name in named:
                pattern += f"(?P={name})"
            elif part.startswith("<") and part.endswith(">"):
                pattern += rf"(?P<{name}>\S+)"
                named.add(name)
            else:
                pattern += " *" if part.isspace() else re.escape(part)
        pattern += " *\n"
    return pattern


class FirstHour(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory(prefix="watershed-first-hour-")
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)
        self.cluster = Cluster(
            BINARIES, self.directory / "cluster", task_managers=1, slots=2,
            options={"execution.checkpointing.dir": f"file://{self.directory}/checkpoints"})
        self.addCleanup(self.cluster.stop)
        self.cluster.start()

    def test_the_page_is_true(self) -> None:
        assert self.cluster.job_manager is not None
        env = {**os.environ, "PATH": f"{BINARIES}:{os.environ['PATH']}",
               "WSCTL_JOBMANAGER": f"127.0.0.1:{self.cluster.job_manager.ports['rpc']}",
               "CHECKPOINTS": f"{self.directory}/checkpoints",
               "SAVEPOINTS": f"{self.directory}/savepoints"}
        steps = steps_of(_PAGE.read_text())
        self.assertGreater(len(steps), 15)
        known: dict[str, str] = {}
        for step in steps:
            command = re.sub(r"<([A-Z0-9]+)>", lambda name: known.get(name[1], name[0]), step.command)
            done = subprocess.run(["bash", "-c", command], cwd=self.directory, env=env, text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=30,
                                  check=False)
            where = f"{_PAGE.name}:{step.line}: {command}\nprinted (exit {done.returncode}):\n{done.stdout}"
            self.assertEqual(step.code, done.returncode, where)
            found = re.fullmatch(pattern_of(step.output, known), done.stdout)
            self.assertIsNotNone(found, where)
            known.update(found.groupdict() if found else {})


class Variables(unittest.TestCase):
    def test_a_reader_is_told_to_set_them(self) -> None:
        page = _PAGE.read_text()
        told = {name for line in re.findall(r"^ +export (.*)$", page, re.MULTILINE)
                for name in re.findall(r"([A-Z]+)=", line)}
        used = set(re.findall(r"\$\{?([A-Z]+)", page))
        self.assertTrue(used)
        self.assertEqual(set(), used - told)


class Patterns(unittest.TestCase):
    def test_what_differs_is_seen(self) -> None:
        for lines, text, fits in (
                (["a … d"], "a  b c d\n", True), (["a … d"], "a b c\n", False),
                (["a", "…", "d"], "a\nb\nc\nd\n", True), (["a", "…", "d"], "a\nd\n", True),
                (["a", "d"], "a\nb\nd\n", False), (["<ID> <ID>"], "x x\n", True),
                (["<ID> <ID>"], "x y\n", False), ([], "said\n", False)):
            self.assertEqual(fits, bool(re.fullmatch(pattern_of(lines, {}), text)), lines)
        self.assertFalse(re.fullmatch(pattern_of(["<ID>"], {"ID": "1"}), "2\n"))
