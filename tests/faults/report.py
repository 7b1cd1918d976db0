"""What a run tells: its table, and the file to which runs are appended and from which they are added up."""

import pathlib
import re
import statistics
import subprocess
import time
from collections import Counter
from collections.abc import Iterable, Sequence

from pipeline import Comparison, Pipeline
from scenario import ROOT
from strikes import Strike

_LAST_LINE = re.compile(r"^faults=(\d+) lost=(\d+) duplicated=(\d+)$", re.MULTILINE)
_KIND = re.compile(r"^\| (\w[^|]*) \| (\d+) \| [\d.]+ s \|", re.MULTILINE)
_WITHIN = re.compile(r"(\d+) of them within")
_FAILED = "not ended: "
_ALL = "all"
_REASON_CHARACTERS = 300  # the whole is where the run was started


class Report:
    """Of one run. The commit is the one at its start."""

    def __init__(self, what: str, seed: int) -> None:
        done = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, stdout=subprocess.PIPE,
                              text=True, check=False)
        self._title = f"## {what}, seed {seed}, {time.strftime('%Y-%m-%d %H:%M')}, {done.stdout.strip()}"

    def ended(self, pipeline: Pipeline, strikes: Sequence[Strike]) -> tuple[str, bool]:
        """The text, and whether nothing is lost or there twice."""
        compared = pipeline.compare()
        lines = [self._title, "", *_events(pipeline), "", *_targets(compared), "", *_faults(strikes), ""]
        for target, rows in compared.items():
            if rows.examples:
                lines += [f"{target}: such as {rows.examples}", ""]
        lost = sum(rows.lost for rows in compared.values())
        duplicated = sum(rows.duplicated + rows.invented for rows in compared.values())
        lines.append(f"faults={_hits(strikes)} lost={lost} duplicated={duplicated}")
        return "\n".join(lines) + "\n", lost == duplicated == 0

    def failed(self, reason: str, strikes: Sequence[Strike]) -> str:
        """The text of a run that could not go on."""
        return "\n".join([self._title, "", *_faults(strikes), "",
                          f"{_FAILED}{reason.splitlines()[0][:_REASON_CHARACTERS]} (faults={_hits(strikes)})", ""])


def kinds(report: pathlib.Path) -> Counter[str]:
    """How often each kind of fault has struck in those runs of the file whose rows were compared at their end."""
    struck: Counter[str] = Counter()
    for run in _ended(report):
        for kind, times in _KIND.findall(run):
            if kind != _ALL:
                struck[kind] += int(times)
    return struck


def totals(report: pathlib.Path) -> str:
    """These runs added up."""
    runs = _ended(report)
    faults, lost, duplicated = (sum(map(int, column)) for column in zip(
        (0, 0, 0), *(match for run in runs for match in _LAST_LINE.findall(run))))
    within = sum(int(count) for run in runs for count in _WITHIN.findall(run))
    failed = report.read_text(encoding="utf-8").count(f"\n{_FAILED}")
    struck = kinds(report)
    return "\n".join([*(f"{times:>6}  {kind}" for kind, times in sorted(struck.items())),
                      *(f"{times:>6}  {kind} in all" for kind, times in _of_their_own(struck).items()),
                      f"{len(runs)} runs ended, {failed} did not",
                      f"{within} faults within an alignment, a snapshot or a commit",
                      f"faults={faults} lost={lost} duplicated={duplicated}"])


def _of_their_own(struck: Counter[str]) -> Counter[str]:
    """How often those of kinds.py, whatever they tell about themselves."""
    found: Counter[str] = Counter()
    for kind, times in sorted(struck.items()):
        if match := re.match(r"A\d+\b", kind):
            found[match[0]] += times
    return found


def _ended(report: pathlib.Path) -> list[str]:
    text = report.read_text(encoding="utf-8") if report.exists() else ""
    return [run for run in text.split("\n## ") if _LAST_LINE.search(run)]


def _events(pipeline: Pipeline) -> list[str]:
    in_sessions = pipeline.events_in_sessions()
    late = ", ".join(f"{pipeline.events - count} ({target})" for target, count in in_sessions.items())
    return ["| events | |", "| --- | --- |",
            f"| in | {pipeline.events + pipeline.letters.total()} |",
            f"| in no session, as one that was late | {late} |",
            f"| no events, to be dead letters of each job | {pipeline.letters.total()} |"]


def _targets(compared: dict[str, Comparison]) -> Iterable[str]:
    yield "| target | rows expected | found | lost | duplicated | invented |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for target, rows in compared.items():
        yield (f"| {target} | {rows.expected} | {rows.found} | {rows.lost} | {rows.duplicated} | "
               f"{rows.invented} |")


def _faults(strikes: Sequence[Strike]) -> Iterable[str]:
    hit = [strike for strike in strikes if strike.was_running]
    within = sum(strike.within_checkpoint for strike in hit)
    yield (f"{len(strikes)} faults, {len(hit)} hit running jobs, {within} of them within an alignment, a "
           "snapshot or a commit.")
    yield ""
    yield "| fault | times | recovered after, median | worst |"
    yield "| --- | --- | --- | --- |"
    times = Counter(strike.kind for strike in strikes)
    for kind, count in [*sorted(times.items()), (_ALL, len(strikes))]:
        seconds = [strike.recovery_s for strike in strikes
                   if kind in (strike.kind, _ALL) and strike.recovery_s is not None]
        if seconds:
            yield f"| {kind} | {count} | {statistics.median(seconds):.1f} s | {max(seconds):.1f} s |"


def _hits(strikes: Sequence[Strike]) -> int:
    return sum(strike.was_running for strike in strikes)
