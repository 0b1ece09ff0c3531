"""The contracts as the DAG files see them: the sound ones make DAGs, the broken ones one import error."""

import logging
from pathlib import Path

from airflow.sdk import get_parsing_context

from headrace.contract.loader import contract_files, load_contract
from headrace.contract.model import Contract
from headrace.errors import ContractError, SettingsError
from headrace.settings import load_settings

log = logging.getLogger(__name__)


def sound_contracts() -> dict[Path, Contract]:
    """Every contract that can be read, by its file; in a stream's task that stream's own alone.

    Raises:
        SettingsError: a setting of the environment is wrong.
    """
    return _read_all()[0]


def _asked_for(files: list[Path]) -> list[Path]:
    """Each task reads its DAG's file anew: it shall not pay for the contracts of all other streams."""
    own = [file for file in files if file.stem == get_parsing_context().dag_id]
    return own or files


def refuse_broken_contracts() -> None:
    """Name every contract that cannot be read.

    Raises:
        ContractError: there are such; one block per file, with line and field.
        SettingsError: the contracts' folder is not there.
    """
    folder = load_settings().streams_path
    if not folder.is_dir():
        raise SettingsError(f"HEADRACE_STREAMS: {folder} is no folder; set it to where the contracts are")
    faults = _read_all()[1]
    if faults:
        raise ContractError(
            "these contracts are broken, so their streams have no DAG; all others work:\n" + "\n".join(faults)
        )


def _read_all() -> tuple[dict[Path, Contract], list[str]]:
    sound: dict[Path, Contract] = {}
    faults: list[str] = []
    for file in _asked_for(contract_files(load_settings().streams_path)):
        try:
            contract = load_contract(file)
        except ContractError as broken:
            faults.append(broken.args[0])
            continue
        except Exception as unforeseen:  # one file must not take the other streams' DAGs away
            log.exception("%s cannot be read as a contract", file)
            faults.append(
                f"{file}: cannot be read as a contract: {type(unforeseen).__name__}: {unforeseen}"[:500]
            )
            continue
        twin = next((other for other, known in sound.items() if known.stream == contract.stream), None)
        if twin is None:
            sound[file] = contract
        else:
            faults.append(f"{file}: stream {contract.stream} is declared in {twin} already; remove one")
    return sound, faults
