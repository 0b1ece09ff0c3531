"""A contract that a command writes: into a file of its own, and only once it is known to be one."""

import tempfile
from collections.abc import Callable
from pathlib import Path

from headrace.contract.loader import load_contract
from headrace.contract.model import Contract
from headrace.errors import SettingsError


def require_new(file: Path, others: str = "--output") -> None:
    """Refuse a place that has a contract, or no folder; `others`: the options that say another one.

    Raises:
        SettingsError: it names the file and the way out.
    """
    if file.exists():
        raise SettingsError(f"{file}: is there and is not overwritten; remove it, or say another {others}")
    if not file.parent.is_dir():
        raise SettingsError(f"{file.parent}: no such folder; make it, or say another --output")


def write_new(file: Path, text: str, check: Callable[[Contract], object] | None = None) -> None:
    """Write the contract, after it was read elsewhere as it will be read there: Airflow sees whole ones only.

    Raises:
        ContractError: the text is no contract, or `check` refuses it; nothing is written then.
        FileExistsError: somebody has written one meanwhile.
    """
    with tempfile.TemporaryDirectory() as scratch:
        read = Path(scratch) / file.name
        read.write_text(text, encoding="utf-8")
        contract = load_contract(read)
        if check:
            check(contract)
    with file.open("x", encoding="utf-8") as writing:
        writing.write(text)
