#!/usr/bin/env python3
"""Breaks things under running jobs, then compares every row with what an independent program says. A1, at
random: TaskManager 50 %, JobManager 20 %, broker 15 %, PostgreSQL 15 %; of the processes many at named moments
of a checkpoint; with odd seeds a second JobManager stands by. The last line counts faults that hit running jobs, rows lost and duplicated."""

import argparse
import math
import pathlib
import random
import shutil
import sys
import tempfile
import time
import traceback
from concurrent.futures import ThreadPoolExecutor

ROOT = pathlib.Path(__file__).resolve().parents[2]
for folder in ("support", "e2e"):
    sys.path.insert(0, str(ROOT / "tests" / folder))

import kill_points  # noqa: E402  (found through the line above)
import report  # noqa: E402  (found through the lines above)
from kinds import KINDS  # noqa: E402  (found through the lines above)
from pipeline import Pipeline, Setting  # noqa: E402  (found through the lines above)
from stage import Stage  # noqa: E402
from strikes import Strike, Striker  # noqa: E402

_EVENTS_PER_FAULT = 5000
_EVENTS_PER_OUTAGE = 10_000  # for each time that jobs are to go on: windows end, so that all sinks have rows to commit
_SECONDS_PER_FAULT = 5  # about, to plan the traffic
_FAULTS_PER_LOAD = 2  # by their events
_LEAST_FAULTS = 60  # of traffic: less would not have the disorder that jobs allow for
_MOMENTS_PER_RUN = 250  # of --each; the next run goes on where the report ends
_MINUTES = 3.0
_RECOVERY_S = 120
_FAULTS_PER_CHECK = 20  # of what is in the targets by then


def main() -> int:
    arguments = _arguments()
    if arguments.totals:
        print(report.totals(arguments.totals))
        return 0
    planned = _planned(arguments)
    faults = min(arguments.faults, int(arguments.minutes * 60 / _SECONDS_PER_FAULT),
                 len(planned) * 2 if planned else _faults_as_long_as(arguments) or 10**6)
    faults = max(_LEAST_FAULTS, faults)
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="watershed-faults-"))
    scratch.chmod(0o711)  # PostgreSQL runs as another user when this is root
    print(f"seed {arguments.seed}: {faults * _EVENTS_PER_FAULT} events, about {faults} faults", flush=True)
    told = report.Report(arguments.kind, arguments.seed)
    strikes: list[Strike] = []
    pipeline = None
    try:
        pipeline = Pipeline(scratch, arguments.seed, faults * _EVENTS_PER_FAULT,
                            KINDS[arguments.kind].setting if arguments.kind in KINDS else
                            Setting(standbys=arguments.seed % 2))
        if arguments.kind in KINDS:
            break_by_kind(pipeline, arguments, strikes)
        else:
            break_at_random(pipeline, arguments, planned, strikes)
        pipeline.finish(timeout_s=300)
        text, ok = told.ended(pipeline, strikes)
    except Exception as error:  # whatever ends a run belongs into the report
        text, ok = told.failed(str(error) or repr(error), strikes), False
        traceback.print_exc()
        if pipeline is not None:
            print(pipeline.cluster.logs(), file=sys.stderr)
    finally:
        if pipeline is not None:
            pipeline.stop()
    if ok:
        shutil.rmtree(scratch, ignore_errors=True)
    else:
        print(f"All logs and data are kept in {scratch}", file=sys.stderr)
    print(text)
    if arguments.report:
        with open(arguments.report, "a", encoding="utf-8") as file:
            file.write(f"\n{text}")
    return 0 if ok else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./dev faults", description=__doc__)
    parser.add_argument("--minutes", type=float, help="how long to go on breaking things "
                        f"(default: {_MINUTES:.0f}; with --each or --kind until all is done)")
    parser.add_argument("--faults", type=int, default=10**6, help="end sooner, after so many")
    parser.add_argument("--seed", type=int, default=random.randrange(1, 1 << 31))
    parser.add_argument("--each", type=int, default=0, metavar="N",
                        help="A2: strike each named moment instead, until it has been struck N times in all "
                        "runs of the report")
    parser.add_argument("--point", action="append", choices=kill_points.all_points(), metavar="NAME",
                        help="with --each, this moment only; may be given more than once")
    parser.add_argument("--kind", choices=KINDS, help="do this instead, --times times: "
                        + "; ".join(f"{name} {kind.what}" for name, kind in KINDS.items()))
    parser.add_argument("--times", type=int, default=0, metavar="N")
    parser.add_argument("--report", type=pathlib.Path, help="append the table to this file")
    parser.add_argument("--totals", type=pathlib.Path, metavar="REPORT", help="add up all runs of a report, and end")
    arguments = parser.parse_args()
    if arguments.kind and not arguments.times:
        arguments.times = 1
    if arguments.minutes is None:
        arguments.minutes = 10**6 if arguments.each or arguments.kind else _MINUTES
    arguments.kind = arguments.kind or ("A2" if arguments.each else "A1")
    return arguments


def _faults_as_long_as(arguments: argparse.Namespace) -> int:
    """How many faults want as many events as so many of the kind; 0: there is no kind."""
    if arguments.kind not in KINDS:
        return 0
    # The last tenth is loaded at the end.
    return math.ceil((arguments.times * KINDS[arguments.kind].loads + 1) * _FAULTS_PER_LOAD / 0.9)


def _planned(arguments: argparse.Namespace) -> list[str]:
    """The moments to strike, in rounds of a random order: those that the report has less often than wished."""
    struck = report.kinds(arguments.report) if arguments.report else {}
    points = arguments.point or kill_points.all_points()
    missing = {point: arguments.each - sum(times for kind, times in struck.items() if kind.endswith(f" at {point}"))
               for point in points}
    choose = random.Random(arguments.seed)
    moments: list[str] = []
    for least in range(max(missing.values()), 0, -1):
        lacking = [point for point in points if missing[point] >= least]
        moments += choose.sample(lacking, len(lacking))
    return moments[:_MOMENTS_PER_RUN]


def break_at_random(pipeline: Pipeline, arguments: argparse.Namespace, planned: list[str],
                    strikes: list[Strike]) -> None:
    """Until time is over, or all that is planned is done."""
    striker = Striker(pipeline, random.Random(arguments.seed), planned if arguments.each else None)
    deadline = time.monotonic() + arguments.minutes * 60
    wait_recovered(pipeline, striker, [])
    while time.monotonic() < deadline and len(strikes) < arguments.faults and not striker.is_done():
        pipeline.load(_EVENTS_PER_FAULT)
        began = len(strikes)
        strikes.append(striker.strike())
        wait_recovered(pipeline, striker, strikes)
        if len(strikes) // _FAULTS_PER_CHECK > began // _FAULTS_PER_CHECK:
            check_so_far(pipeline, striker, strikes)
        for number, struck in enumerate(strikes[began:], began + 1):
            _tell(number, struck)


def check_so_far(pipeline: Pipeline, striker: Striker, strikes: list[Strike]) -> None:
    """Meanwhile a process may come to its moment: without another in its place, the transaction that it had
    begun would stay open, and the look at the targets would wait for its end in vain."""
    with ThreadPoolExecutor(1) as executor:
        looked = executor.submit(pipeline.check_so_far)
        while not looked.done():
            wait_recovered(pipeline, striker, strikes)
        looked.result()


def break_by_kind(pipeline: Pipeline, arguments: argparse.Namespace, strikes: list[Strike]) -> None:
    """One kind, as often as wished."""
    kind = KINDS[arguments.kind]
    stage = Stage(pipeline, _EVENTS_PER_OUTAGE, random.Random(arguments.seed))
    stage.go_on()
    deadline = time.monotonic() + arguments.minutes * 60
    while time.monotonic() < deadline and len(strikes) < arguments.times:
        running = pipeline.is_running()
        stage.detail = ""
        recovery_s = kind.strike(stage)
        strikes.append(Strike(f"{arguments.kind} {stage.detail}".rstrip(), running, kind.within_checkpoint,
                              recovery_s))
        _tell(len(strikes), strikes[-1])
        if len(strikes) % _FAULTS_PER_CHECK == 0:
            pipeline.check_so_far()


def _tell(number: int, struck: Strike) -> None:
    print(f"{time.strftime('%H:%M:%S')} {number:>4}  {struck.kind:<34} {'running' if struck.was_running else '-':<8} "
          f"{'in a checkpoint' if struck.within_checkpoint else '':<16} {struck.recovery_s or 0:5.1f} s", flush=True)


def wait_recovered(pipeline: Pipeline, striker: Striker, strikes: list[Strike]) -> None:
    """Until all jobs run and each has completed another checkpoint. Appends what falls meanwhile."""
    began = time.monotonic()
    before: list[int] = []
    while time.monotonic() < began + _RECOVERY_S:
        more = striker.fallen()
        if more is not None:
            strikes.append(more)
            before = []
        completed = pipeline.completed() if pipeline.is_running() else []
        if completed and not before:
            before = completed
        if completed and all(now > then for now, then in zip(completed, before)):
            for each in strikes:
                if each.recovery_s is None:
                    each.recovery_s = time.monotonic() - began
            return
        time.sleep(0.05)
    raise AssertionError(f"not recovered within {_RECOVERY_S} s: {pipeline.states()}")


if __name__ == "__main__":
    sys.exit(main())
