"""Apache Kafka's jars: fetched once by Maven into the user's cache, found there by tests.

`python3 kafka_jars.py` fetches them if they are missing (./dev setup does this).
"""

import os
import pathlib
import shutil
import subprocess
import sys

VERSION = "4.2.0"
# slf4j-simple: without a binding Kafka says nothing at all, not even why it does not start.
_ARTIFACTS = (
    ("org.apache.kafka", "kafka_2.13", VERSION),
    ("org.apache.kafka", "kafka-tools", VERSION),
    ("org.slf4j", "slf4j-simple", "1.7.36"),
)
_COPY_GOAL = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies"


def cache_directory() -> pathlib.Path:
    """Where everything fetched for tests and demo lives."""
    base = os.environ.get("XDG_CACHE_HOME") or str(pathlib.Path.home() / ".cache")
    return pathlib.Path(base) / "watershed"


def directory() -> pathlib.Path:
    """Where the jars of this version are (or will be)."""
    return cache_directory() / f"kafka-{VERSION}"


def present() -> bool:
    """Whether a fetch has completed."""
    return directory().is_dir()


def class_path() -> str:
    """For java -cp. FileNotFoundError that says what to do when the jars are missing."""
    if not present():
        raise FileNotFoundError(f"Apache Kafka {VERSION} is not in {directory()}: run ./dev setup")
    return f"{directory()}/*"


def fetch() -> None:
    """Downloads into a directory beside the final one and renames it: complete or absent."""
    partial = directory().with_name(f"{directory().name}.partial-{os.getpid()}")
    partial.mkdir(parents=True)
    dependencies = "".join(
        f"<dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId>"
        f"<version>{version}</version></dependency>" for group, artifact, version in _ARTIFACTS)
    pom = partial / "pom.xml"
    pom.write_text(
        '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
        "<groupId>watershed</groupId><artifactId>kafka-jars</artifactId><version>1</version>"
        f"<dependencies>{dependencies}</dependencies></project>")
    try:
        subprocess.run(
            ["mvn", "--batch-mode", "-Dstyle.color=never", "--no-transfer-progress", "-q", "-f", str(pom), _COPY_GOAL,
             "-DincludeScope=runtime", f"-DoutputDirectory={partial}"], check=True)
        shutil.rmtree(partial / "target", ignore_errors=True)
        if not present():
            partial.rename(directory())
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def main() -> int:
    if present():
        return 0
    print(f"Fetching Apache Kafka {VERSION} by Maven into {directory()} (about 100 MB)", flush=True)
    try:
        fetch()
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"could not fetch Apache Kafka: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
