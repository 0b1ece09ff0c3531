"""Java's class-data archive for Spark: made once, it takes a third off the time of a short job.

An archive fits one Java, one class path and the very jars it was made from, so it is named after them; jobs
run without one where none fits.
"""

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from headrace.kafka.spark_options import spark_options
from local.stack.broker import scratch_broker

TOPIC = "training"
RECORDS = 200
SCALA = "2.13"
"""What Spark's shell scripts tell its launcher, which is called without them here."""


def archive_file(home: Path, java: Path, class_path: Sequence[Path]) -> Path:
    """Where the archive for this Java and these jars is, or would be."""
    of = hashlib.sha256(str(java).encode())
    for part in (java / "release", java / "lib" / "modules", *class_path):
        with suppress(OSError):  # a Java without `release` is told apart by its modules
            found = part.stat()
            of.update(f"\0{part}\0{found.st_size}\0{found.st_mtime_ns}".encode())
    return (home / "jars").resolve() / "archive" / f"{of.hexdigest()[:16]}.jsa"


@dataclass(frozen=True)
class Driver:
    """What Spark drivers of this machine start with; `properties`: the text of their spark-defaults.conf."""

    java: Path
    class_path: tuple[Path, ...]
    properties: str
    environment: dict[str, str]


def make_archive(home: Path, driver: Driver) -> bool:
    """Make the archive unless it is there; whether there is one now. A failure is logged only."""
    target = archive_file(home, driver.java, driver.class_path)
    target.parent.mkdir(parents=True, exist_ok=True)
    log = home / "logs" / "archive.log"
    log.parent.mkdir(exist_ok=True)
    with FileLock(target.parent / "making"):
        if target.exists():
            return True
        scratch = target.parent / "scratch"
        shutil.rmtree(scratch, ignore_errors=True)  # of one that was interrupted
        scratch.mkdir()
        broker = scratch_broker(home, scratch / "broker")
        try:
            broker.start()
            _publish(broker.config)
            made = _train(scratch, driver, broker.config, log)
            for stale in target.parent.glob("*.jsa"):
                stale.unlink()
            made.replace(target)
        except Exception as failed:  # it makes jobs faster, no more: whatever went wrong, they run without it
            with log.open("a", encoding="utf-8") as writing:
                writing.write(f"no archive: {type(failed).__name__}: {str(failed)[-300:]}\n")
        finally:
            broker.kill()
            shutil.rmtree(scratch, ignore_errors=True)
    return target.exists()


def _publish(config: dict[str, Any]) -> None:
    from confluent_kafka import Producer
    from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]  # it is there

    producer = Producer(config)
    admin = AdminClient(config)
    admin.create_topics([NewTopic(TOPIC, 2)])[TOPIC].result(30)
    for minute in range(RECORDS):
        record = {"at": f"01 01 2018 {minute // 60:02}:{minute % 60:02}", "power": str(minute)}
        producer.produce(TOPIC, json.dumps(record), headers={"publication": b"training"})
    producer.flush(30)


def _train(scratch: Path, driver: Driver, config: dict[str, Any], log: Path) -> Path:
    settings = scratch / "spark-defaults.conf"
    settings.write_text(driver.properties, encoding="utf-8")
    classes = os.pathsep.join(map(str, driver.class_path))
    # A folder that is not there: a class path with a folder of files in it cannot be archived.
    own = {
        "SPARK_CONF_DIR": str(scratch / "none"),
        "SPARK_SCALA_VERSION": SCALA,
        "KAFKA": json.dumps(spark_options(config)),
    }
    surroundings = {**os.environ, **driver.environment, **own}
    launcher = (
        *(driver.java / "bin" / "java", "-cp", classes, "org.apache.spark.launcher.Main"),
        *("org.apache.spark.deploy.SparkSubmit", "--master", "local[2]", "--properties-file", settings),
        *(Path(__file__).with_name("archive_training.py"), TOPIC, scratch),
    )
    with log.open("wb") as out:
        asked = subprocess.run(
            launcher, env=surroundings, stdout=subprocess.PIPE, stderr=out, check=True, timeout=60
        )
    # It answers with NUL and a line break, then the command, each part closed by NUL.
    command = [part.decode() for part in asked.stdout.lstrip(b"\0\n").split(b"\0") if part]
    # The launcher adds Spark's jars once more at the end: an archive must fit the beginning of a class path.
    command[command.index("-cp") + 1] = classes
    made = scratch / "made.jsa"
    command.insert(1, f"-XX:ArchiveClassesAtExit={made}")
    with log.open("ab") as out:
        subprocess.run(
            command, env=surroundings, cwd=scratch, stdout=out, stderr=out, check=True, timeout=300
        )
    return made
