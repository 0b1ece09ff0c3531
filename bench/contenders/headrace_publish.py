"""Headrace: what the task `publish` does. CONTRACT BOOTSTRAP."""

import sys
from pathlib import Path

from headrace.contract.loader import load_contract
from headrace.publish.publishing import publish
from headrace.settings import load_settings
from headrace.task_log import say

if __name__ == "__main__":
    contract, servers = sys.argv[1:]
    publish(
        load_contract(Path(contract)), load_settings(), {"bootstrap.servers": servers}, "bench", report=say
    )
