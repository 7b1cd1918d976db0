"""Processes of a cluster whose files fail or are slow, or whose wall clock is off, as each of them is told
(interposed_calls.cc)."""

import mmap
import os
import pathlib
import struct
from collections.abc import Mapping

# As struct Control has it: shift of the clock in ns, hits, kinds of calls, error, delay in ms, prefix.
_CLOCK, _HITS, _KINDS, _FAULT = (struct.Struct(layout) for layout in ("q", "q", "i", "ii500s"))
_CLOCK_AT, _HITS_AT, _KINDS_AT, _FAULT_AT = 0, 8, 16, 20
_SIZE = 4096
WRITES, READS = 1, 2


class InterposedCalls:
    """Of all processes of a cluster, by their names."""

    def __init__(self, library: pathlib.Path, directory: pathlib.Path) -> None:
        assert library.exists(), f"{library} is not built"
        directory.mkdir()
        self._library = library
        self._directory = directory
        self._controls: dict[str, mmap.mmap] = {}

    def variables(self, name: str) -> Mapping[str, str]:
        """With which a process of this name is to start; it begins sound."""
        file = self._directory / name
        file.unlink(missing_ok=True)
        file.write_bytes(bytes(_SIZE))
        with open(file, "r+b") as control:
            self._controls[name] = mmap.mmap(control.fileno(), _SIZE)
        return {"LD_PRELOAD": str(self._library), "WATERSHED_INTERPOSED_CALLS": str(file)}

    def fail(self, name: str, prefix: pathlib.Path, error: int, kinds: int = WRITES) -> None:
        """Every such call for a file whose path begins so, with this errno."""
        self._hit(name, prefix, error, 0, kinds)

    def delay(self, name: str, prefix: pathlib.Path, delay_ms: int, kinds: int = WRITES) -> None:
        """Every such call."""
        self._hit(name, prefix, 0, delay_ms, kinds)

    def heal(self, name: str) -> None:
        """Its files."""
        self._put(name, _KINDS, _KINDS_AT, 0)

    def hits(self, name: str) -> int:
        """How many calls have failed or been slow since the process began."""
        return _HITS.unpack_from(self._controls[name], _HITS_AT)[0]

    def set_clock(self, name: str, ahead_s: int) -> None:
        """Of the wall, so much ahead of the machine's."""
        self._put(name, _CLOCK, _CLOCK_AT, ahead_s * 10**9)

    def _hit(self, name: str, prefix: pathlib.Path, error: int, delay_ms: int, kinds: int) -> None:
        self.heal(name)
        self._put(name, _FAULT, _FAULT_AT, error, delay_ms, os.fsencode(prefix))
        self._put(name, _KINDS, _KINDS_AT, kinds)

    def _put(self, name: str, layout: struct.Struct, at: int, *values: int | bytes) -> None:
        layout.pack_into(self._controls[name], at, *values)
