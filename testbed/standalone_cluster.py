"""A real Spark standalone cluster on this machine: a master and a worker that has nothing of the project.

The worker's folder, environment and Python are its own: no checkout, no PYTHONPATH, no package. It shares
with drivers what every cluster must share: Spark itself, the jars, and the warehouse's path.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from secrets import token_urlsafe
from urllib.request import urlopen

from headrace.files import write_whole
from local.install.java import java_home
from local.install.pyspark import spark_home
from local.stack.ports import free_port
from local.stack.spark import SMALL, properties_file, write_configuration
from testbed.waiting import awaited


class StandaloneCluster:
    """A master and one worker, as processes in `folder`; `home` has the jars."""

    def __init__(self, folder: Path, home: Path) -> None:
        self.folder, self._home, self._java = folder, home, java_home(home)
        self._port, self._web, self._worker_web = free_port(), free_port(), free_port()
        self._secret = {"spark.authenticate.secret": token_urlsafe(32)}
        self._running: list[subprocess.Popen[bytes]] = []
        self.python = folder / "bare" / "bin" / "python"

    @property
    def master(self) -> str:
        """What drivers connect to."""
        return f"spark://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Start both; return when the master has taken the worker."""
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", self.folder / "bare"], check=True)
        here = ("--host", "127.0.0.1")
        ports = ("--port", str(self._port), "--webui-port", str(self._web))
        self._start("master.Master", *here, *ports)
        awaited(self._answers, 120, every=0.2)
        size = ("--cores", "2", "--memory", "2g", "--work-dir", str(self.folder / "work"))
        self._start("worker.Worker", *here, *size, "--webui-port", str(self._worker_web), self.master)
        awaited(lambda: self._told()["aliveworkers"], 120, every=0.2)

    def stop(self) -> None:
        """End both; a worker ends its executors."""
        for process in reversed(self._running):
            process.terminate()
            process.wait(60)

    def configuration(self, name: str, properties: dict[str, str]) -> dict[str, str]:
        """What a driver needs in its environment to run here, with these settings besides."""
        folder = self.folder / "conf" / name
        folder.mkdir(parents=True)
        own = write_configuration(self._home, self._java)
        (folder / "log4j2.properties").write_bytes((own / "log4j2.properties").read_bytes())
        said = {
            "spark.master": self.master,
            **self._secret,
            "spark.executor.extraClassPath": f"{(self._home / 'jars/spark').resolve()}/*",
            "spark.pyspark.driver.python": sys.executable,
            "spark.pyspark.python": str(self.python),
            **properties,
        }
        text = (own / "spark-defaults.conf").read_text(encoding="utf-8") + properties_file(said)
        write_whole(folder / "spark-defaults.conf", text, mode=0o600)
        return {"SPARK_CONF_DIR": str(folder)}

    def applications(self) -> list[str]:
        """The names of the applications that ended in good order."""
        return [app["name"] for app in self._told()["completedapps"] if app["state"] == "FINISHED"]

    def _start(self, service: str, *arguments: str) -> None:
        name = service.partition(".")[0]
        (self.folder / name).mkdir()
        closed = {
            key: value for key, value in SMALL.items() if key.startswith(("spark.auth", "spark.network"))
        }
        write_whole(
            self.folder / name / "spark-defaults.conf", properties_file(closed | self._secret), mode=0o600
        )
        with (self.folder / f"{name}.log").open("wb") as out:
            process = subprocess.Popen(
                [spark_home() / "bin" / "spark-class", f"org.apache.spark.deploy.{service}", *arguments],
                cwd=self.folder / name,
                env=self._environment(name),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._running.append(process)

    def _environment(self, name: str) -> dict[str, str]:
        """All of it: nothing of this process's own is inherited."""
        return {
            "PATH": os.pathsep.join((str(self._java / "bin"), os.defpath)),
            "HOME": str(self.folder / name),
            "LC_ALL": "C.UTF-8",
            "JAVA_HOME": str(self._java),
            "SPARK_HOME": str(spark_home()),
            "SPARK_CONF_DIR": str(self.folder / name),
            "SPARK_LOCAL_IP": "127.0.0.1",
            "PYSPARK_PYTHON": str(self.python),
        }

    def _answers(self) -> bool:
        try:
            return bool(self._told())
        except OSError:
            assert self._running[0].poll() is None, (self.folder / "master.log").read_text()
            return False

    def _told(self) -> dict[str, list[dict[str, str]]]:
        with urlopen(f"http://127.0.0.1:{self._web}/json/", timeout=10) as answer:
            told: dict[str, list[dict[str, str]]] = json.load(answer)
        return told
