"""`headrace try`: a sample through the very parsing that landing does."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from headrace.contract.loader import load_contract
from headrace.contract.model import Contract
from headrace.parse.parser import Parser
from headrace.sample.account import Account, Trial
from headrace.sample.doubled_times import DoubledTimes
from headrace.sample.records import sample_records
from headrace.sample.repeats import Identities, find_repeats
from headrace.tables.gold_columns import column_comments


def try_sample(contract_file: Path, sample: Path, shown: int) -> Trial:
    """Parse a sample as landing would; `shown`: how many readings and refusals are kept whole.

    Raises:
        ContractError, SourceError: contract or sample cannot be read.
    """
    contract = _plain(load_contract(contract_file))
    column_comments(contract)
    parser = Parser(contract, topic_id="sample")

    def parsed() -> Iterator[tuple[pa.RecordBatch, pa.RecordBatch]]:
        for records in sample_records(contract, sample):
            yield records, parser.parse(records)

    account, doubled, identities = Account(shown), DoubledTimes(contract), Identities()
    for records, rows in parsed():
        account.add(rows)
        doubled.look(records, rows)
        if contract.record.identity:  # without it a sample's records are all their own
            identities.add(rows)
    repeated = identities.repeated()
    if len(repeated):
        doubled_in = contract.record.event_time.timezone if contract.may_come_twice else None
        account.refuse(find_repeats(parsed(), repeated, doubled_in))
    warning = doubled.warning()
    return account.trial([warning] if warning else [])


def _plain(contract: Contract) -> Contract:
    """The same, and values are not compressed: a sample's lines are not."""
    record = contract.record.model_copy(update={"value_compression": None})
    return contract.model_copy(update={"record": record})
