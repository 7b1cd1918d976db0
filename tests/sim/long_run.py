#!/usr/bin/env python3
"""Simulates many seeds in portions, and appends a line for each portion to a report, so that a run that is
interrupted goes on where it was, on another day or at another commit, and all of them add up."""

import argparse
import pathlib
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed

_ROOT = pathlib.Path(__file__).resolve().parents[2]
_PORTION = 1000
_HEAD = "| seeds from | to | failed | commit | what was in them |\n| --- | --- | --- | --- | --- |\n"
_LINE = re.compile(r"^\| (\d+) \| (\d+) \| (\d+) \|", re.MULTILINE)
_ENDED = re.compile(r"^(\d+) seeds from (\d+) in [\d.]+ s, (\d+) failed; (.*?)(?:; faults by kind:)?$", re.MULTILINE)


def main() -> int:
    parser = argparse.ArgumentParser(prog="./dev sim --report FILE", description=__doc__)
    parser.add_argument("--report", type=pathlib.Path, required=True)
    parser.add_argument("--seeds", type=int, default=100_000, help="how many the report is to have (default 100000)")
    parser.add_argument("--watermarks", action="store_true", help="rows around the watermark (A16)")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--binary", type=pathlib.Path, default=_ROOT / "build" / "dev" / "bin" / "run_seeds")
    arguments = parser.parse_args()
    done = portions_done(arguments.report)
    missing = [first for first in range(1, arguments.seeds + 1, _PORTION) if first not in done]
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=_ROOT, stdout=subprocess.PIPE,
                            text=True, check=True).stdout.strip()
    if not arguments.report.exists():
        arguments.report.write_text(_HEAD)
    with ThreadPoolExecutor(arguments.processes) as executor:
        running = [executor.submit(run, arguments.binary, first, arguments.watermarks) for first in missing]
        for ended in as_completed(running):
            text = ended.result()
            match = _ENDED.search(text)
            if not match:
                executor.shutdown(wait=False, cancel_futures=True)
                raise SystemExit(f"a process ended without its figures:\n{text[-4000:]}")
            seeds, first, failed, figures = match.groups()
            with open(arguments.report, "a", encoding="utf-8") as file:
                file.write(f"| {first} | {int(first) + int(seeds) - 1} | {failed} | {commit} | {figures} |\n")
            if int(failed):
                print(text, flush=True)
    seeds, failures = totals(arguments.report)
    print(f"seeds={seeds} failed={failures}")
    return 1 if failures else 0


def run(binary: pathlib.Path, first: int, watermarks: bool) -> str:
    """A portion: all that it says."""
    return subprocess.run(
        [str(binary), "--from", str(first), "--seeds", str(_PORTION), *(["--watermarks"] if watermarks else [])],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False).stdout


def portions_done(report: pathlib.Path) -> set[int]:
    """Their first seeds."""
    text = report.read_text(encoding="utf-8") if report.exists() else ""
    return {int(first) for first, *_ in _LINE.findall(text)}


def totals(report: pathlib.Path) -> tuple[int, int]:
    """How many seeds there are in all lines, and how many failed."""
    lines = _LINE.findall(report.read_text(encoding="utf-8"))
    return sum(int(last) - int(first) + 1 for first, last, _ in lines), sum(int(failed) for *_, failed in lines)


if __name__ == "__main__":
    sys.exit(main())
