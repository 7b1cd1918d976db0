#!/usr/bin/env python3
"""Kills processes and peers at random under running jobs (A1: TaskManager 50 %, JobManager 20 %, broker 15 %,
PostgreSQL 15 %; of the processes many at named moments of a checkpoint), then compares every row with what
an independent program says. The last line counts faults that hit running jobs, rows lost and duplicated."""

import argparse
import pathlib
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter

ROOT = pathlib.Path(__file__).resolve().parents[2]
for folder in ("support", "e2e"):
    sys.path.insert(0, str(ROOT / "tests" / folder))

import kill_points  # noqa: E402  (found through the line above)
from pipeline import Comparison, Pipeline  # noqa: E402  (found through the lines above)
from strikes import Strike, Striker  # noqa: E402

_EVENTS_PER_FAULT = 5000
_SECONDS_PER_FAULT = 5  # about, to plan the traffic
_RECOVERY_S = 120
_FAULTS_PER_CHECK = 20  # of what is in the targets by then


def main() -> int:
    parser = argparse.ArgumentParser(prog="./dev faults", description=__doc__)
    parser.add_argument("--minutes", type=float, default=3, help="how long to go on breaking things")
    parser.add_argument("--faults", type=int, default=10**6, help="end sooner, after so many")
    parser.add_argument("--seed", type=int, default=random.randrange(1, 1 << 31))
    parser.add_argument("--each", type=int, default=0, metavar="N",
                        help="strike each named moment N times instead (A2), one after the other")
    parser.add_argument("--report", type=pathlib.Path, help="append the table to this file")
    arguments = parser.parse_args()
    planned = min(arguments.faults, int(arguments.minutes * 60 / _SECONDS_PER_FAULT))
    if arguments.each:
        planned = min(planned, len(kill_points.all_points()) * arguments.each)
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="watershed-faults-"))
    scratch.chmod(0o711)  # PostgreSQL runs as another user when this is root
    print(f"seed {arguments.seed}: {planned * _EVENTS_PER_FAULT} events, about {planned} faults", flush=True)
    pipeline = None
    try:
        pipeline = Pipeline(scratch, arguments.seed, max(planned, 20) * _EVENTS_PER_FAULT)
        strikes = run(pipeline, arguments)
        pipeline.finish(timeout_s=300)
        report, ok = describe(arguments, pipeline, strikes)
    finally:
        if pipeline is not None:
            pipeline.stop()
        shutil.rmtree(scratch, ignore_errors=True)
    print(report)
    if arguments.report:
        with open(arguments.report, "a", encoding="utf-8") as file:
            file.write(report + "\n")
    return 0 if ok else 1


def run(pipeline: Pipeline, arguments: argparse.Namespace) -> list[Strike]:
    """Breaks things until time is over."""
    planned = kill_points.all_points() * arguments.each
    striker = Striker(pipeline, random.Random(arguments.seed), planned)
    strikes: list[Strike] = []
    wait_recovered(pipeline, striker)
    deadline = time.monotonic() + arguments.minutes * 60
    while time.monotonic() < deadline and len(strikes) < arguments.faults and not striker.is_done():
        pipeline.load(_EVENTS_PER_FAULT)
        began = len(strikes)
        strikes.append(striker.strike())
        strikes += wait_recovered(pipeline, striker, strikes[-1])
        if len(strikes) // _FAULTS_PER_CHECK > began // _FAULTS_PER_CHECK:
            pipeline.check_so_far()
        for number, struck in enumerate(strikes[began:], began + 1):
            print(f"{number:>4}  {struck.kind:<34} {'running' if struck.was_running else '-':<8} "
                  f"{'in a checkpoint' if struck.within_checkpoint else '':<16} "
                  f"{struck.recovery_s:5.1f} s", flush=True)
    return strikes


def wait_recovered(pipeline: Pipeline, striker: Striker, struck: Strike | None = None) -> list[Strike]:
    """Until all jobs run and each has completed another checkpoint. What falls meanwhile."""
    fallen: list[Strike] = []
    began = time.monotonic()
    before: list[int] = []
    while time.monotonic() < began + _RECOVERY_S:
        more = striker.fallen()
        if more is not None:
            fallen.append(more)
            before = []
        completed = pipeline.completed() if pipeline.is_running() else []
        if completed and not before:
            before = completed
        if completed and all(now > then for now, then in zip(completed, before)):
            for each in [struck, *fallen]:
                if each is not None:
                    each.recovery_s = time.monotonic() - began
            return fallen
        time.sleep(0.05)
    raise AssertionError(f"not recovered within {_RECOVERY_S} s: {pipeline.states()}\n"
                         + pipeline.cluster.logs())


def describe(arguments: argparse.Namespace, pipeline: Pipeline,
             strikes: list[Strike]) -> tuple[str, bool]:
    """The table, and whether nothing is lost or there twice."""
    compared = pipeline.compare()
    hit = [strike for strike in strikes if strike.was_running]
    within = sum(strike.within_checkpoint for strike in hit)
    kind = f"A2, each moment {arguments.each} times" if arguments.each else "A1"
    lines = [f"## {kind}, seed {arguments.seed}, {time.strftime('%Y-%m-%d %H:%M')}, {commit()}", "",
             f"{pipeline.events} events in, none late, none malformed; {len(strikes)} faults, {len(hit)} hit "
             f"running jobs, {within} of them within an alignment, a snapshot or a commit.", "",
             "| target | rows expected | found | lost | duplicated | invented |",
             "| --- | --- | --- | --- | --- | --- |"]
    lines += [f"| {table} | {rows.expected} | {rows.found} | {rows.lost} | {rows.duplicated} | "
              f"{rows.invented} |" for table, rows in compared.items()]
    lines += ["", "| fault | times | recovered after, median | worst |", "| --- | --- | --- | --- |"]
    for kind, times in sorted(Counter(strike.kind for strike in strikes).items()):
        seconds = [strike.recovery_s for strike in strikes if strike.kind == kind]
        lines.append(f"| {kind} | {times} | {statistics.median(seconds):.1f} s | {max(seconds):.1f} s |")
    lost = _sum(compared, "lost")
    duplicated = _sum(compared, "duplicated") + _sum(compared, "invented")
    for table, rows in compared.items():
        if rows.examples:
            lines.append(f"{table}: such as {rows.examples}")
    lines += ["", f"faults={len(hit)} lost={lost} duplicated={duplicated}"]
    return "\n".join(lines), lost == duplicated == 0


def commit() -> str:
    """What was tested."""
    done = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, stdout=subprocess.PIPE,
                          text=True, check=False)
    return done.stdout.strip() or "no commit"


def _sum(compared: dict[str, Comparison], what: str) -> int:
    return sum(getattr(rows, what) for rows in compared.values())


if __name__ == "__main__":
    sys.exit(main())
