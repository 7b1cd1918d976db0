"""The shapes of wsctl's `-o json`, which scripts rely on: wsctl/README.md in a form that can be checked."""

from typing import Any

_COUNT = (int, None)
_TIME = (str, None)
JOB = {"job-id": str, "name": str, "state": str, "status-reason": str, "start-time": _TIME,
       "end-time": _TIME, "duration-ms": _COUNT, "tasks": {"total": int, "running": int}}
CHECKPOINT = {"id": int, "status": str, "savepoint": bool, "trigger-time": str, "end-time": _TIME,
              "duration-ms": _COUNT, "state-bytes": int, "written-bytes": int, "subtasks": int,
              "acknowledged": int, "failure": str, "path": str}
_FIGURES = {"records-in": _COUNT, "records-out": _COUNT, "bytes-in": _COUNT, "bytes-out": _COUNT,
            "late-records": _COUNT, "skipped-records": _COUNT,
            "dead-letter-records": _COUNT, "lag-records": _COUNT, "watermark": _TIME}
SUBTASK = {"subtask": int, "attempt": int, "state": str, "task-manager": str, "endpoint": str,
           "start-time": _TIME, "end-time": _TIME, "message": str, **_FIGURES, "busy-ms": _COUNT,
           "idle-ms": _COUNT, "backpressured-ms": _COUNT}
SUBTASK_OF_JOB = {"vertex": str, **SUBTASK}
VERTEX = {"id": str, "name": str, "state": str, "parallelism": int, **_FIGURES, "message": str,
          "subtasks": [SUBTASK]}
JOB_DETAILS = {
    **JOB, "attempt": int, "restarts": int, "last-restart-reason": str, "max-parallelism": int,
    "checkpoints": {"triggered": int, "completed": int, "failed": int, "in-progress": int,
                    "damaged": int, "last-damage": str, "interval-ms": int, "directory": str,
                    "latest-completed": (CHECKPOINT, None), "latest-failed": (CHECKPOINT, None),
                    "restored": (CHECKPOINT, None)},
    **{name: _COUNT for name in ("records-in", "records-out", "late-records", "skipped-records",
                                 "dead-letter-records", "lag-records")},
    "vertices": [VERTEX]}
_RATE = (float, int, None)
FIGURES = {
    "job-id": str, "name": str, "state": str, "restarts": int, "latest-completed": (CHECKPOINT, None),
    "vertices": [{
        "name": str, "state": str, "parallelism": int,
        **{f"{what}-per-second": _RATE for what in ("records-in", "records-out", "bytes-in", "bytes-out")},
        "busy": _RATE, "backpressured": _RATE, "watermark": _TIME, "watermark-lag-ms": _COUNT,
        **{name: _COUNT for name in ("records-in", "records-out", "late-records", "skipped-records",
                                     "dead-letter-records", "lag-records")}}]}
TASK_MANAGER = {
    "id": str, "address": str, "slots": {"total": int, "free": int}, "cpu-cores": int, "pid": int,
    "last-heartbeat": _TIME,
    "memory": {"process-bytes": int, "resident-bytes": int,
               "shares": [{"name": str, "limit-bytes": int, "used-bytes": int, "peak-bytes": int}]},
    "jobs": [{"job-id": str, "slots": int}]}


def mismatch(value: Any, shape: Any, where: str = "$") -> str:
    """What of the value is not as the shape says; "" if all is. A tuple lists what is allowed, a list has
    the shape of its items, a dict exactly these keys; None is null."""
    if isinstance(shape, tuple):
        return "" if any(not mismatch(value, each) for each in shape) else f"{where} is {value!r}"
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            return f"{where} is {value!r}, no object"
        if value.keys() != shape.keys():
            return f"{where}: keys {sorted(value.keys() ^ shape.keys())} are missing or unknown"
        return next(filter(None, (mismatch(value[key], shape[key], f"{where}.{key}")
                                  for key in shape)), "")
    if isinstance(shape, list):
        if not isinstance(value, list):
            return f"{where} is {value!r}, no list"
        return next(filter(None, (mismatch(item, shape[0] if shape else None, f"{where}[{i}]")
                                  for i, item in enumerate(value))), "")
    if shape is None:
        return "" if value is None else f"{where} is {value!r}, not null"
    fits = isinstance(value, shape) and not (shape is int and isinstance(value, bool))
    return "" if fits else f"{where} is {value!r}, no {shape.__name__}"
