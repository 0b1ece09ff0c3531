"""Whatever is wrong with one contract is that file's fault alone."""

from pathlib import Path

import pytest

from headrace.contract.model import Contract
from headrace.errors import ContractError
from headrace.settings import PROJECT
from headrace_airflow import contracts

SHIPPED = PROJECT / "include/streams/wind_turbine.yaml"

BROKEN = {
    "alias": "a: &a [x]\nb: [*a]\n",
    "key": "? [a]\n: 1\n",
    "depth": "[" * 9_000,
    "number": "stream: " + "9" * 5_000,
    "date": "stream: 2000-13-01\n",
    "bytes": "stream: \udcff",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HEADRACE_STREAMS", str(tmp_path))
    (tmp_path / SHIPPED.name).write_bytes(SHIPPED.read_bytes())
    return tmp_path


def test_hostile_files_are_named_each_and_the_sound_one_works(folder: Path) -> None:
    for name, text in BROKEN.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8", errors="surrogateescape")
    (folder / "zero.yaml").symlink_to("/dev/zero")
    assert [file.name for file in contracts.sound_contracts()] == [SHIPPED.name]
    with pytest.raises(ContractError) as raised:
        contracts.refuse_broken_contracts()
    assert all(str(folder / f"{name}.yaml") in str(raised.value) for name in (*BROKEN, "zero"))


def test_an_error_that_nobody_foresaw_is_its_files_too(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load = contracts.load_contract

    def failing(file: Path) -> Contract:
        if file.name == "mill.yaml":
            raise OverflowError("something else")
        return load(file)

    (folder / "mill.yaml").write_text("stream: mill\n", encoding="utf-8")
    monkeypatch.setattr(contracts, "load_contract", failing)
    assert [file.name for file in contracts.sound_contracts()] == [SHIPPED.name]
    with pytest.raises(
        ContractError, match=r"mill\.yaml: cannot be read as a contract: OverflowError: something"
    ):
        contracts.refuse_broken_contracts()
