"""The same as kills_test.py, but the jobs write to Kafka: every window's row is there once for readers of
committed records, and no transaction is left open."""

import pathlib
import unittest
from collections import Counter

import kills_test  # as a module, so that its own test is not a test here
from scenario import kafka_wire
from web_traffic import OUTPUTS, checkpointed_job_file, into_kafka


class KafkaKills(kills_test.Kills):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        for table, _ in (output for outputs in OUTPUTS.values() for output in outputs):
            kafka_wire.create_topic(cls.scenario.kafka_url, cls.scenario.topic_of(table), 2)

    def job_file(self, name: str) -> pathlib.Path:
        return checkpointed_job_file(self.scenario, name, self.ends, changes=into_kafka(name))

    def rows(self, output: tuple) -> Counter:
        return self.scenario.committed_rows(*output)


if __name__ == "__main__":
    unittest.main()
