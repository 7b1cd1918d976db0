#!/usr/bin/env python3
"""create_topic.py BROKER TOPIC PARTITIONS: returns once the topic's leaders answer."""

import sys

from peers import kafka_wire

if __name__ == "__main__":
    kafka_wire.create_topic(sys.argv[1], sys.argv[2], int(sys.argv[3]))
