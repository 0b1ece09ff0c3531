"""The stage `publish` in a process of its own, which may be killed; it fails as a Spark driver does.

python -m chaos.publisher CONTRACT RUN_ID ROWS [republish] [accept_loss] < config.json
"""

import json
import sys
from pathlib import Path

from chaos.tampering import tamper
from headrace.contract.loader import load_contract
from headrace.land.before_publishing import cut_off, go_back
from headrace.publish import publishing
from headrace.settings import load_settings
from headrace.tables.warehouse import Warehouse
from headrace_spark.entry_point import run_stage


def main() -> None:
    """Publish; ROWS is a transaction's size, so that a small slice has several of them."""
    tamper()
    contract, run_id, rows = load_contract(Path(sys.argv[1])), sys.argv[2], int(sys.argv[3])
    republish, accept_loss = (name in sys.argv[4:] for name in ("republish", "accept_loss"))
    publishing.ROWS = rows
    config, settings = json.loads(sys.stdin.read()), load_settings()
    warehouse = Warehouse.of(settings, contract.stream)
    if cut := cut_off(contract, warehouse, config, run_id):
        go_back(contract, warehouse, config, cut, accept_loss)
    publishing.publish(contract, settings, config, run_id, republish=republish, report=print)


if __name__ == "__main__":
    run_stage(main)
