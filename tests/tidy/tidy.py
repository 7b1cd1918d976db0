#!/usr/bin/env python3
"""The project's own style as a failing test: dependency direction, layout, lengths."""

import pathlib
import sys

import dependencies
import functions
import layout
from tree import project_files


def main() -> int:
    root = pathlib.Path(__file__).resolve().parents[2]
    files = project_files(root)
    problems = [problem for check in (dependencies.check, layout.check, functions.check)
                for problem in check(files)]
    for problem in problems:
        print(problem)
    print(f"tidy: {len(files)} files, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
