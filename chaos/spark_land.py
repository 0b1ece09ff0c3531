"""spark_jobs/land.py itself, in a process that a trial has tampered with.

spark-submit chaos/spark_land.py
"""

import runpy

from chaos.tampering import tamper
from headrace.settings import PROJECT

if __name__ == "__main__":
    tamper()
    runpy.run_path(str(PROJECT / "spark_jobs" / "land.py"), run_name="__main__")
