"""The reference against results worked out by hand."""

import unittest
from collections import Counter

from reference import Event, disorder_ms, sessions, tumbling_counts

_MINUTE = 60_000


class Reference(unittest.TestCase):
    def test_touching_events_share_a_session(self) -> None:
        gap = 5 * _MINUTE
        events = [Event(t, "i", "h", None) for t in (gap, 0, 2 * gap + 1)]
        self.assertEqual(
            Counter([("i", "h", "0", str(2 * gap), "2"),
                     ("i", "h", str(2 * gap + 1), str(3 * gap + 1), "1")]), sessions(events, gap))

    def test_disorder_is_measured_against_the_newest_event(self) -> None:
        self.assertEqual(7, disorder_ms(Event(t, "i", "h", None) for t in (5, 9, 8, 12, 5, 11)))

    def test_nulls_are_a_key_of_their_own(self) -> None:
        events = [Event(0, None, "h", None), Event(1, None, "h", None), Event(2, "i", None, None)]
        self.assertEqual(
            Counter([("\\N", "h", "0", "11", "2"), ("i", "\\N", "2", "12", "1")]),
            sessions(events, 10))

    def test_windows_are_aligned_and_null_hosts_count_nothing(self) -> None:
        events = [Event(59_999, "i", "h", "r"), Event(60_000, "i", "h", "r"),
                  Event(60_001, "i", None, "r"), Event(119_999, "i", "h", None)]
        self.assertEqual(
            Counter([("0", "h", "1"), ("60000", "h", "2"), ("60000", "\\N", "0")]),
            tumbling_counts(events, _MINUTE, by_referrer=False))
        self.assertEqual(
            Counter([("0", "h", "r", "1"), ("60000", "h", "r", "1"), ("60000", "h", "\\N", "1"),
                     ("60000", "\\N", "r", "0")]),
            tumbling_counts(events, _MINUTE, by_referrer=True))


if __name__ == "__main__":
    unittest.main()
