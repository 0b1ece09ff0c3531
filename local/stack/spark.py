"""Spark of one machine: its configuration folder and the environment that spark-submit and pyspark need."""

import os
import subprocess
from pathlib import Path

from headrace.driver.compilers import OPTIONS, QUICK_ONLY, by_size
from headrace.driver.protocol import Job
from headrace.driver.spark_submit import SPARK_SUBMIT, python_environment
from headrace.files import write_whole
from headrace.settings import PROJECT, Settings, load_settings
from local.install.jars import fetch_jars
from local.install.java import java_home
from local.install.pyspark import spark_home
from local.stack.archive import Driver, archive_file, make_archive

LOG4J = """\
rootLogger.level = warn
rootLogger.appenderRef.stderr.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.target = SYSTEM_ERR
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{yyyy-MM-dd'T'HH:mm:ss.SSSXXX} %-5level %logger{1}: %message%n%ex
# It warns of every Kafka option that Spark's own consumer sets aside.
logger.kafka.name = org.apache.kafka.clients.consumer.ConsumerConfig
logger.kafka.level = error
# In every task log, and nothing that a reader could act on: no native Hadoop, the local folder named twice,
# adaptive plans off while streaming, a plan too long to print, a query stopped after its last batch, a
# session that was there before its stage.
logger.hadoop.name = org.apache.hadoop.util.NativeCodeLoader
logger.hadoop.level = error
logger.conf.name = org.apache.spark.SparkConf
logger.conf.level = error
logger.streaming.name = org.apache.spark.sql.execution.streaming.runtime.ResolveWriteToStream
logger.streaming.level = error
logger.plan.name = org.apache.spark.util.SparkStringUtils
logger.plan.level = error
logger.scheduler.name = org.apache.spark.scheduler.DAGScheduler
logger.scheduler.level = error
logger.session.name = org.apache.spark.sql.classic.SparkSession
logger.session.level = error
"""

SMALL = {
    "spark.ui.killEnabled": "false",
    # What Spark hides of its configuration and of plans; its own pattern lets Kafka's log-in through.
    "spark.redaction.regex": "(?i)secret|password|token|access[.]?key|jaas|ssl[.].*key|user[.]info",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    # Who speaks to a driver must know its secret: any user of the machine reaches the loopback. A session of
    # local[*] makes its own, in memory.
    "spark.authenticate": "true",
    "spark.network.crypto.enabled": "true",
    "spark.network.crypto.saslFallback": "false",
    "spark.sql.shuffle.partitions": "4",
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    # Every task that reads a table's log generates its code again: the default of 50 for a log of a few files
    # costs seconds, and a second one as much as the first.
    "spark.databricks.delta.snapshotPartitions": "1",
    # Without Hadoop's own file of checksums beside every file: Delta lists its log's folder several times a
    # commit, and half of what stands there would be those.
    "spark.hadoop.fs.file.impl": "org.apache.hadoop.fs.RawLocalFileSystem",
    "spark.hadoop.fs.AbstractFileSystem.file.impl": "org.apache.hadoop.fs.local.RawLocalFs",
    # A micro-batch has some sixty pieces of compiled code, a few of them for itself alone; in the
    # default cache of 100 those soon evict the ones that every batch needs again.
    "spark.sql.codegen.cache.maxEntries": "1000",
    # What the web UI would show of the past, kept in memory without it too: of the default thousand queries
    # some twenty belong to a batch, and half of a small heap was theirs.
    "spark.sql.ui.retainedExecutions": "20",
    "spark.ui.retainedJobs": "20",
    "spark.ui.retainedStages": "20",
    "spark.ui.retainedTasks": "100",
}

JAVA_OPTIONS = "-XX:ReservedCodeCacheSize=240m -XX:-UsePerfData"
"""With C1 only Java 17 keeps 48 MB for compiled code instead of 240. Spark fills them in some thirty
micro-batches; from then on Java throws code away and compiles it again."""


def spark_environment(settings: Settings) -> dict[str, str]:
    """What spark-submit and pyspark need in their environment, laid over the caller's own.

    Brings the jars and writes the configuration folder when they are not there yet.

    Raises:
        SetupFailed: Java or a jar is missing and could not be fetched.
    """
    home = settings.home_path
    java = java_home(home)
    return {
        "JAVA_HOME": str(java),
        "SPARK_HOME": str(spark_home()),
        "SPARK_CONF_DIR": str(write_configuration(home, java)),
        "SPARK_LOCAL_IP": "127.0.0.1",
        **python_environment(),
        OPTIONS: QUICK_ONLY,
        # Java takes the encoding of file names from the locale.
        "LC_ALL": "C.UTF-8",
    }


def submit(script: str, job: Job, **environment: str) -> "subprocess.Popen[str]":
    """Start a stage as its task would, outside of Airflow; all its output is one text."""
    spark = by_size(spark_environment(load_settings()), job.slice)
    return subprocess.Popen(
        [SPARK_SUBMIT, str(PROJECT / "spark_jobs" / script)],
        env={**os.environ, **spark, **job.environment(), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def write_configuration(home: Path, java: Path) -> Path:
    """Write `home`/spark-conf for the jars of `home` and return it."""
    folder = home / "spark-conf"
    folder.mkdir(parents=True, exist_ok=True)
    classes = class_path(home)
    archive = archive_file(home, java, classes)
    # Its log is off: a person need not know of an archive that does not fit; the job runs without it.
    options = f'{JAVA_OPTIONS} -XX:SharedArchiveFile="{archive}" -Xlog:cds=off -Xlog:cds+dynamic=off'
    _write_changed(folder / "log4j2.properties", LOG4J)
    text = properties_file(_properties(home, classes, options if archive.exists() else JAVA_OPTIONS))
    _write_changed(folder / "spark-defaults.conf", text)
    return folder


def prepare_archive(home: Path) -> bool:
    """Make the class-data archive of this home's Spark unless it is there; whether there is one now."""
    java = java_home(home)
    classes = class_path(home)
    text = properties_file(_properties(home, classes, JAVA_OPTIONS))
    return make_archive(home, Driver(java, classes, text, spark_environment(Settings(home=home))))


def class_path(home: Path) -> tuple[Path, ...]:
    """The jars of a driver: those of `home`, then those that pyspark ships.

    Spark puts its own behind its configuration folder. They are named here because an archive fits a class
    path by its beginning only, and cannot be made over a folder with files in it.
    """
    added = sorted(fetch_jars(home, "spark").glob("*.jar"))
    return (*added, *sorted((spark_home() / "jars").glob("*.jar")))


def _properties(home: Path, classes: tuple[Path, ...], java_options: str) -> dict[str, str]:
    temporary = home / "spark-temporary"
    temporary.mkdir(parents=True, exist_ok=True)
    return SMALL | {
        "spark.ui.enabled": str(load_settings().spark_ui).lower(),
        "spark.driver.extraClassPath": os.pathsep.join(map(str, classes)),
        "spark.driver.defaultJavaOptions": java_options,
        "spark.local.dir": str(temporary),
        "spark.sql.warehouse.dir": str(home / "spark-warehouse"),
        # Hadoop gives a file its mode itself, whatever the process's umask: what a killed driver leaves of
        # its checkpoint would be for all to read.
        "spark.hadoop.fs.permissions.umask-mode": "077",
    }


def properties_file(properties: dict[str, str]) -> str:
    """The text of a Java properties file: whatever is not plain ASCII becomes an escape."""

    def escaped(value: str) -> str:
        units = value.encode("utf-16-be")
        codes = (int.from_bytes(units[i : i + 2], "big") for i in range(0, len(units), 2))
        return "".join(chr(c) if 0x20 <= c < 0x7F and c != ord("\\") else f"\\u{c:04x}" for c in codes)

    return "".join(f"{name}={escaped(value)}\n" for name, value in properties.items())


def _write_changed(path: Path, text: str) -> None:
    """Write a file unless it holds that text already: a driver may be reading it."""
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        write_whole(path, text)
