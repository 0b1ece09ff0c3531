"""Headrace: what the task `publish` does. CONTRACT."""

import json
import os
import sys
from pathlib import Path

from headrace.contract.loader import load_contract
from headrace.publish.publishing import publish
from headrace.settings import load_settings
from headrace.task_log import say

if __name__ == "__main__":
    config = json.loads(os.environ["KAFKA"])
    publish(load_contract(Path(sys.argv[1])), load_settings(), config, "bench", report=say)
