"""Real peers for tests: Apache Kafka 4.2.0 and PostgreSQL 15, on loopback, in scratch directories."""
