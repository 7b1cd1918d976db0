"""Which folder may include which: ARCHITECTURE.md, "Who depends on whom", as a table."""

import re
from collections.abc import Iterator, Sequence

from tree import SourceFile

_EVERYTHING = ("runtime/",)

# A folder may include itself, runtime/types, and what stands here: folders, or single headers.
_ALLOWED: dict[str, tuple[str, ...]] = {
    "runtime/types": (),
    "runtime/metrics": (),
    "runtime/config": (),
    "runtime/memory": (),
    "runtime/logging": ("runtime/config/",),
    "runtime/formats": ("runtime/metrics/",),
    "runtime/connectors": ("runtime/metrics/", "runtime/memory/", "runtime/config/",
                           "runtime/logging/", "runtime/storage/",
                           "runtime/formats/format.h"),
    "runtime/exchange": ("runtime/metrics/",),
    "runtime/state": ("runtime/metrics/", "runtime/memory/", "runtime/storage/"),
    "runtime/operators": ("runtime/metrics/", "runtime/state/keyed_state.h"),
    "runtime/job": ("runtime/config/", "runtime/connectors/connector.h",
                    "runtime/connectors/option_values.h", "runtime/formats/format_options.h",
                    "runtime/formats/timestamp_pattern.h",
                    "runtime/operators/aggregate_schema.h"),
    "runtime/storage": ("runtime/process/work_runner.h", "runtime/memory/"),
    "runtime/checkpoint": ("runtime/storage/", "runtime/job/plan_lookup.h",
                           "runtime/job/nearest_name.h",
                           "runtime/job/split_assignment.h", "runtime/connectors/option_values.h"),
    "runtime/status": (),
    "runtime/version": (),
    "runtime/process": ("runtime/config/", "runtime/logging/", "runtime/version/"),
    "runtime/rpc": ("runtime/config/", "runtime/logging/", "runtime/process/"),
    "runtime/engine": _EVERYTHING,
    "taskmanager": _EVERYTHING,
    "wsctl": _EVERYTHING,
    "jobmanager": ("runtime/metrics/", "runtime/config/", "runtime/logging/", "runtime/job/",
                   "runtime/status/", "runtime/version/", "runtime/process/", "runtime/rpc/",
                   "runtime/storage/", "runtime/checkpoint/",
                   "runtime/connectors/connector.h", "runtime/operators/aggregate_schema.h"),
}

# Headers whose business is the plan, or talking to processes. No other header of the runtime knows
# protobuf, so that operators, connectors and channels compile without it.
_PLAN_HEADERS = ("runtime/job/", "runtime/checkpoint/", "runtime/status/", "runtime/rpc/",
                 "runtime/types/schema_proto.h")

_INCLUDE = re.compile(r'^\s*#\s*include\s+[<"]([^>"]+)[>"]')
_PROTOBUF = re.compile(r"\.pb\.h$|^google/protobuf/|^grpcpp/|^grpc/")
_ABSL_TEXT = re.compile(r"^absl/(strings|status)/")


def check(files: Sequence[SourceFile]) -> Iterator[str]:
    """One line per include that points the wrong way."""
    for file in files:
        if not file.is_cpp:
            continue
        for number, line in enumerate(file.lines, 1):
            if match := _INCLUDE.match(line):
                if problem := _problem(file.path, match[1]):
                    yield f"{file.path}:{number}: {problem}"


def _problem(path: str, included: str) -> str | None:
    if _ABSL_TEXT.match(included):
        return f"{included}: abseil's text and status are not used here (DECISIONS.md): fmt, Result"
    if (path.startswith("runtime/") and path.endswith(".h") and _PROTOBUF.search(included)
            and not path.startswith(_PLAN_HEADERS)):
        return f"{included}: protobuf and gRPC belong in .cc files; forward-declare the message"
    folder = _folder(path)
    target = _folder(included)
    if folder.startswith("runtime/") and folder not in _ALLOWED:
        return f"{folder} is not in the table of tests/tidy/dependencies.py: say whom it depends on"
    if folder not in _ALLOWED or not _is_ours(target) or target in (folder, "runtime/types"):
        return None
    if not included.startswith(_ALLOWED[folder]):
        return f"{folder} must not include {included} (ARCHITECTURE.md, who depends on whom)"
    return None


def _is_ours(folder: str) -> bool:
    return folder in _ALLOWED or folder.startswith(("runtime/", "tests/")) or folder == "tests"


def _folder(path: str) -> str:
    parts = path.split("/")
    return "/".join(parts[:2]) if parts[0] == "runtime" else parts[0]
