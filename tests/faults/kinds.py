"""All kinds of faults that are done on their own: `./dev faults --kind` does one of them many times,
tests/e2e/short_faults_test.py each once."""

import clocks
import commits
import damage
import disks
import outages
import partitions
import rescales
from stage import Kind

# Those of a group share a setting.
GROUPS: dict[str, dict[str, Kind]] = {"outages": outages.KINDS, "damage": damage.KINDS, "disks": disks.KINDS,
                                      "clocks": clocks.KINDS, "commits": commits.KINDS, "partitions": partitions.KINDS,
                                      "rescales": rescales.KINDS}
KINDS = {name: kind for group in GROUPS.values() for name, kind in group.items()}
