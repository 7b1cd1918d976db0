"""Which answers the proxy takes for those of a commit that was carried out."""

import struct
import unittest

from answer_losing_proxy import KafkaCommits, PostgresCommits


def _end_txn(correlation_id: int, commit: bool, number: int = 26) -> bytes:
    body = struct.pack(">hhi", number, 1, correlation_id) + b"\0\1c" + b"\0\2id" + struct.pack(">qh?", 7, 0, commit)
    return struct.pack(">i", len(body)) + body


def _answer(correlation_id: int, error: int) -> bytes:
    return struct.pack(">iiih", 10, correlation_id, 0, error)


def _postgres(kind: bytes, text: bytes) -> bytes:
    return kind + struct.pack(">i", len(text) + 5) + text + b"\0"


class Kafka(unittest.TestCase):
    def setUp(self) -> None:
        self.commits = KafkaCommits()

    def test_the_answer_to_a_commit_is_lost(self) -> None:
        self.assertTrue(self.commits.sent(_end_txn(5, True)))
        self.assertEqual(_answer(4, 0), self.commits.keep(_answer(4, 0), losing=True))
        self.assertIsNone(self.commits.keep(_answer(5, 0), losing=True))

    def test_a_request_in_two_pieces_is_found(self) -> None:
        request = _end_txn(5, True)
        self.assertFalse(self.commits.sent(request[:9]))
        self.assertTrue(self.commits.sent(request[9:]))

    def test_aborts_and_other_requests_are_none(self) -> None:
        self.assertFalse(self.commits.sent(_end_txn(5, False)))
        self.assertFalse(self.commits.sent(_end_txn(6, True, number=22)))

    def test_a_refusal_arrives_and_the_next_try_counts(self) -> None:
        self.commits.sent(_end_txn(5, True))
        refused = _answer(5, 51)
        self.assertEqual(refused, self.commits.keep(refused, losing=True))
        self.commits.sent(_end_txn(6, True))
        self.assertIsNone(self.commits.keep(_answer(6, 0), losing=True))

    def test_nothing_is_lost_unless_told(self) -> None:
        self.commits.sent(_end_txn(5, True))
        self.assertEqual(_answer(5, 0), self.commits.keep(_answer(5, 0), losing=False))


class Postgres(unittest.TestCase):
    def test_a_commit_that_was_carried_out_is_lost(self) -> None:
        commits = PostgresCommits()
        self.assertTrue(commits.sent(_postgres(b"Q", b"COMMIT")))
        self.assertIsNone(commits.keep(_postgres(b"C", b"COMMIT"), losing=True))

    def test_what_ended_otherwise_arrives(self) -> None:
        for answer in (_postgres(b"C", b"ROLLBACK"), _postgres(b"E", b"SERROR")):
            self.assertEqual(answer, PostgresCommits().keep(answer, losing=True))
        self.assertFalse(PostgresCommits().sent(_postgres(b"Q", b"ROLLBACK")))


if __name__ == "__main__":
    unittest.main()
