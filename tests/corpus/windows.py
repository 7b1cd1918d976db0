"""What windows over typed rows must give, in plain Python that shares nothing with the engine. Rows are
dictionaries of Python values, times in milliseconds, None for NULL; results are as PostgreSQL's JSON shows
them."""

import base64
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta, timezone

Row = Mapping[str, object]
Result = tuple[tuple[str, object], ...]  # column and value, sorted


def _divide(total: int | float, count: int) -> int | float:
    """Of integers towards zero."""
    if isinstance(total, float):
        return total / count
    return abs(total) // count * (1 if total >= 0 else -1)


_FUNCTIONS: dict[str, Callable[[list], object]] = {
    "count": len,
    "sum": lambda values: sum(values) if values else None,
    "min": lambda values: min(values, default=None),
    "max": lambda values: max(values, default=None),
    "avg": lambda values: _divide(sum(values), len(values)) if values else None,
}


def tumbling(rows: Iterable[Row], time: str, size_ms: int, keys: Sequence[str],
             aggregates: Mapping[str, str]) -> Counter[Result]:
    """Windows aligned to 1970. `aggregates`: name and call, as in a job file."""
    windows: dict[tuple, list[Row]] = defaultdict(list)
    for row in rows:
        windows[tuple(row[key] for key in keys), row[time] // size_ms * size_ms].append(row)
    return Counter(
        _result(dict(zip(keys, key)), begin, begin + size_ms, inside, aggregates)
        for (key, begin), inside in windows.items())


def sessions(rows: Iterable[Row], time: str, gap_ms: int, keys: Sequence[str],
             aggregates: Mapping[str, str]) -> Counter[Result]:
    """A row at most `gap_ms` after the last one joins its session, which ends a gap after its last."""
    by_key: dict[tuple, list[Row]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: row[time]):
        by_key[tuple(row[key] for key in keys)].append(row)
    found: Counter[Result] = Counter()
    for key, of_key in by_key.items():
        session: list[Row] = []
        for row in [*of_key, None]:
            if session and (row is None or row[time] - session[-1][time] > gap_ms):
                found[_result(dict(zip(keys, key)), session[0][time], session[-1][time] + gap_ms,
                              session, aggregates)] += 1
                session = []
            session.append(row)
    return found


def plain(rows: Iterable[Row], columns: Mapping[str, str]) -> Counter[Result]:
    """The rows themselves. `columns`: the target's, and which of the input goes into each."""
    return Counter(_sorted({target: shown(row[column], column) for target, column in columns.items()})
                   for row in rows)


def time_text(time_ms: int) -> str:
    """As to_char shows it."""
    time = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(milliseconds=time_ms)
    return time.strftime("%Y-%m-%d %H:%M:%S.") + f"{time_ms % 1000:03}"


def shown(value: object, column: str) -> object:
    """A value as PostgreSQL's JSON has it. Columns whose name ends in `_at` are times."""
    if value is None:
        return None
    if column.endswith("_at"):
        return time_text(value)
    return "\\x" + value.hex() if isinstance(value, bytes) else value


def payload(row: Row) -> dict:
    """A row as a JSON record of a topic."""
    return {column: base64.b64encode(value).decode() if isinstance(value, bytes) else value
            for column, value in row.items() if value is not None}


def _result(key: Row, begin: int, end: int, rows: Sequence[Row],
            aggregates: Mapping[str, str]) -> Result:
    values = {column: shown(value, column) for column, value in key.items()}
    values |= {"window_start": time_text(begin), "window_end": time_text(end)}
    for name, call in aggregates.items():
        function, column = call.removesuffix(")").split("(")
        inputs = [row for row in rows if column == "*" or row[column] is not None]
        result = _FUNCTIONS[function]([1 if column == "*" else row[column] for row in inputs])
        values[name] = shown(result, column if function in ("min", "max") else name)
    return _sorted(values)


def _sorted(values: Mapping[str, object]) -> Result:
    return tuple(sorted(values.items()))
