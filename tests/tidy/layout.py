"""Names, lengths and places of files."""

import re
from collections.abc import Iterator, Sequence

from tree import SourceFile

_MAX_LINES = 500
_COUNTED = (".cc", ".h", ".py", ".sh", ".proto", ".yaml", ".sql", ".js", "CMakeLists.txt", "/dev")
_VAGUE_NAMES = {"util", "utils", "helper", "helpers", "common", "misc"}
# In two halves, so that this file does not find itself.
_MACHINE_PATHS = re.compile("(?:^|[\"' =(:])/" + r"(?:work|root|home)/\w")


def check(files: Sequence[SourceFile]) -> Iterator[str]:
    """One line per file that is too long, vaguely named, tied to a machine, or a dead test."""
    lists = {file.path: file.text for file in files if file.path.endswith("CMakeLists.txt")}
    for file in files:
        yield from _name(file)
        if ("/" + file.path).endswith(_COUNTED) and len(file.lines) > _MAX_LINES:
            yield f"{file.path}: {len(file.lines)} lines, more than {_MAX_LINES}: split it by concept"
        for number, line in enumerate(file.lines, 1):
            if _MACHINE_PATHS.search(line):
                yield f"{file.path}:{number}: names a path of one machine"
        if re.search(r"_test\.(cc|py)$", file.path) and not _is_built(file.path, lists):
            yield f"{file.path}: in no CMakeLists.txt: it never runs"


def _name(file: SourceFile) -> Iterator[str]:
    for part in file.path.split("/"):
        if _VAGUE_NAMES & set(re.split(r"[._-]", part.lower())):
            yield f"{file.path}: '{part}' says nothing; name the concept"


def _is_built(path: str, lists: dict[str, str]) -> bool:
    """Named by a CMakeLists.txt of its folder or one above it."""
    folders, name = path.split("/")[:-1], path.split("/")[-1]
    for depth in range(len(folders), -1, -1):
        listing = lists.get("/".join([*folders[:depth], "CMakeLists.txt"]), "")
        if re.search(rf"(?<![\w]){re.escape(name)}", listing):
            return True
    return False
