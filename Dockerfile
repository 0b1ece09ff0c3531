# One image for all of Headrace's containers: Airflow, the Spark master, its workers and the drivers.
# The same lock as on one machine: requirements.txt for Python, local/install/jars.lock for the jars.
# Both may be pinned: the image by `@sha256:…`, Java by `=version` (docs/how-to/docker-compose.md#pinned-images).
ARG PYTHON_IMAGE=python:3.11-slim-bookworm
FROM ${PYTHON_IMAGE}

ARG JAVA_PACKAGE=openjdk-17-jre-headless
RUN apt-get update \
    && apt-get install -y --no-install-recommends "${JAVA_PACKAGE}" procps \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 50000 headrace

# PYSPARK_PYTHON: drivers tell executors which Python to start, and it is the one with the packages.
ENV HEADRACE_HOME=/var/lib/headrace/home \
    HEADRACE_WAREHOUSE=/var/lib/headrace/warehouse \
    AIRFLOW_HOME=/var/lib/headrace/airflow \
    SPARK_CONF_DIR=/opt/headrace/docker/spark-conf \
    PYSPARK_PYTHON=/usr/local/bin/python3 \
    MPLCONFIGDIR=/var/lib/headrace/home/cache/matplotlib \
    PYTHONWARNINGS=ignore:GitWildMatchPattern:DeprecationWarning \
    PYTHONUNBUFFERED=1

WORKDIR /opt/headrace
COPY requirements.txt ./
RUN pip install --no-cache-dir --require-hashes -r requirements.txt

COPY . .
RUN pip install --no-cache-dir --no-deps --no-build-isolation -e . \
    && python -c "from pathlib import Path; from local.install.jars import fetch_jars; fetch_jars(Path('/opt'), 'spark')" \
    # Whatever the umask of the checkout: the containers' user reads all of it.
    && chmod -R a+rX /opt/headrace /opt/jars \
    && install -d -o headrace -g headrace /var/lib/headrace

USER headrace
# A named volume takes owner and mode from the image's folder when it is first mounted.
RUN install -d -m 0700 /var/lib/headrace/home /var/lib/headrace/warehouse /var/lib/headrace/airflow \
    /var/lib/headrace/work
