#!/usr/bin/env python3
"""linkage.py BINARY LIBRARY…: fails when the program needs one of the libraries at run time."""

import subprocess
import sys


def main() -> int:
    binary, forbidden = sys.argv[1], sys.argv[2:]
    dynamic = subprocess.run(["readelf", "--dynamic", "--wide", binary], capture_output=True,
                             text=True, check=True).stdout
    needed = [line.split("[")[1].rstrip("]\n ") for line in dynamic.splitlines()
              if "(NEEDED)" in line]
    symbols = subprocess.run(["nm", "--demangle", "--defined-only", binary], capture_output=True,
                             text=True, check=True).stdout
    found = [name for name in forbidden if any(lib.startswith(f"lib{name}") for lib in needed)]
    found += [f"{name} (linked statically)" for name in forbidden
              if f" {name}::" in symbols or f" {name}_new" in symbols]
    for name in found:
        print(f"{binary} links {name}; it must not (ARCHITECTURE.md, who depends on whom)")
    print(f"{binary} needs: {' '.join(needed)}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
