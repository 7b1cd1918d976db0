"""Lengths of C++ functions, found by their braces: good enough for formatted code."""

import re
from collections.abc import Iterator, Sequence

from tree import SourceFile

_MAX_BODY_LINES = 50

# Comments and literals, whose braces do not count.
_NOISE = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', re.DOTALL)
_TYPE = re.compile(r"\b(?:namespace|class|struct|union|enum|extern)\b")


def check(files: Sequence[SourceFile]) -> Iterator[str]:
    """One line per function whose body is too long; tests' bodies are not counted."""
    for file in files:
        if file.is_cpp and not file.path.endswith("_test.cc"):
            for name, line, length in functions(file.text):
                if length > _MAX_BODY_LINES:
                    yield (f"{file.path}:{line}: {name} has {length} lines, more than "
                           f"{_MAX_BODY_LINES}: split it")


def functions(text: str) -> Iterator[tuple[str, int, int]]:
    """(name, line of its opening brace, lines between the braces) of every outermost function."""
    code = _NOISE.sub(lambda noise: re.sub(r"[^\n]", " ", noise[0]), text)
    code = re.sub(r"^[ \t]*#(?:[^\n\\]|\\.)*(?:\\\n[^\n]*)*", _blank, code, flags=re.MULTILINE)
    depth_inside = 0  # braces open since the function's own
    start, name, begin = 0, "", 0
    line = 1
    for index, char in enumerate(code):
        if char == "\n":
            line += 1
        elif depth_inside:
            depth_inside += (char == "{") - (char == "}")
            if not depth_inside:
                yield name, begin, max(0, line - begin - 1)
                start = index + 1
        elif char == "{":
            head = code[start:index]
            start = index + 1
            if "(" in head and not _TYPE.search(head.split("(")[0]):
                name, begin, depth_inside = _name_in(head), line, 1
        elif char in ";}":
            start = index + 1


def _blank(match: re.Match) -> str:
    return re.sub(r"[^\n]", " ", match[0])


def _name_in(head: str) -> str:
    names = re.findall(r"([\w:~]+)\s*\(", head)
    return names[0] if names else "function"
