"""A driver's ports: who does not know the session's secret gets no answer."""

from typing import Any

import pytest
from py4j.protocol import Py4JJavaError
from pyspark.sql import SparkSession


def asked_by(spark: SparkSession, security: Any, conf: Any) -> Any:
    """What the driver's own port answers to a peer with that conf."""
    jvm: Any = spark.sparkContext._jvm
    driver = jvm.org.apache.spark.rpc.RpcAddress(
        "127.0.0.1", int(spark.sparkContext.getConf().get("spark.driver.port", "0"))
    )
    peer = jvm.org.apache.spark.rpc.RpcEnv.create("peer", "127.0.0.1", 0, conf, security, True)
    try:
        return peer.setupEndpointRef(driver, "HeartbeatReceiver").name()
    finally:
        peer.shutdown()
        peer.awaitTermination()


def test_a_peer_without_the_secret_is_refused(spark: SparkSession) -> None:
    jvm: Any = spark.sparkContext._jvm
    own = jvm.org.apache.spark.SparkEnv.get()
    assert asked_by(spark, own.securityManager(), own.conf()) == "HeartbeatReceiver"
    nothing = jvm.org.apache.spark.SparkConf(False)
    config = getattr(getattr(jvm.org.apache.spark.internal.config, "package$"), "MODULE$")
    stranger = jvm.org.apache.spark.SecurityManager(
        nothing, jvm.scala.Option.empty(), config.AUTH_SECRET_FILE()
    )
    with pytest.raises(Py4JJavaError):
        asked_by(spark, stranger, nothing)


def test_what_is_said_is_encrypted_and_the_secret_is_no_setting(spark: SparkSession) -> None:
    jvm: Any = spark.sparkContext._jvm
    own = jvm.org.apache.spark.SparkEnv.get().securityManager()
    assert own.isAuthenticationEnabled()
    assert own.isEncryptionEnabled()
    settings = dict(spark.sparkContext.getConf().getAll())
    assert own.getSecretKey() not in settings.values()
    assert "spark.authenticate.secret" not in settings
