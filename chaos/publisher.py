"""The stage `publish` in a process of its own, which may be killed; it fails as a Spark driver does.

python -m chaos.publisher CONTRACT RUN_ID ROWS [republish] < config.json
"""

import json
import sys
from pathlib import Path

from headrace.contract.loader import load_contract
from headrace.publish import publishing
from headrace.settings import load_settings
from headrace_spark.entry_point import run_stage


def main() -> None:
    """Publish; ROWS is a transaction's size, so that a small slice has several of them."""
    contract, run_id, rows = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    publishing.ROWS = rows
    config = json.loads(sys.stdin.read())
    republish = "republish" in sys.argv[4:]
    publishing.publish(
        load_contract(contract), load_settings(), config, run_id, republish=republish, report=print
    )


if __name__ == "__main__":
    run_stage(main)
