"""What windows over web events must give: plain Python over the raw JSON lines, sharing nothing with
the engine. Rows are tuples of text, NULL as \\N, times in milliseconds since the epoch."""

import json
import pathlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timezone
from typing import NamedTuple

NULL = "\\N"


class Event(NamedTuple):
    """The fields that jobs use; None where missing or null."""

    time_ms: int
    ip: str | None
    host: str | None
    referrer: str | None


def read_events(path: pathlib.Path) -> list[Event]:
    """One event a line, every line well-formed."""
    with open(path, encoding="utf-8") as lines:
        return [_event(json.loads(line)) for line in lines]


def disorder_ms(events: Iterable[Event]) -> int:
    """How far an event is behind the newest one before it, at the most."""
    newest = behind = 0
    for event in events:
        newest = max(newest, event.time_ms)
        behind = max(behind, newest - event.time_ms)
    return behind


def sessions(events: Iterable[Event], gap_ms: int) -> Counter[tuple[str, ...]]:
    """(ip, host, start, end, events): an event at most `gap_ms` after the last one joins its
    session; the end is the last event plus the gap."""
    by_key: dict[tuple[str | None, str | None], list[int]] = defaultdict(list)
    for event in events:
        by_key[event.ip, event.host].append(event.time_ms)
    return Counter(
        (_text(ip), _text(host), str(first), str(last + gap_ms), str(count))
        for (ip, host), times in by_key.items()
        for first, last, count in _runs(sorted(times), gap_ms))


def tumbling_counts(
    events: Iterable[Event], size_ms: int, by_referrer: bool
) -> Counter[tuple[str, ...]]:
    """(window start, host[, referrer], events whose host is not null), windows aligned to 1970."""
    counts: Counter[tuple] = Counter()
    for event in events:
        start = event.time_ms - event.time_ms % size_ms
        key = (event.host, event.referrer) if by_referrer else (event.host,)
        counts[start, *key] += event.host is not None
    return Counter((str(start), *map(_text, key), str(count))
                   for (start, *key), count in counts.items())


def _event(fields: dict) -> Event:
    return Event(_milliseconds(fields["event_time"]), fields.get("ip"), fields.get("host"),
                 fields.get("referrer"))


def _milliseconds(text: str) -> int:
    day, milliseconds = text[:19], int(text[20:23])
    time = datetime.fromisoformat(day).replace(tzinfo=timezone.utc)
    return int(time.timestamp()) * 1000 + milliseconds


def _runs(times: list[int], gap_ms: int) -> Iterator[tuple[int, int, int]]:
    """(first, last, how many) of each run of times without a hole longer than the gap."""
    begin = 0
    for index in range(1, len(times) + 1):
        if index == len(times) or times[index] - times[index - 1] > gap_ms:
            yield times[begin], times[index - 1], index - begin
            begin = index


def _text(value: str | None) -> str:
    return NULL if value is None else value
