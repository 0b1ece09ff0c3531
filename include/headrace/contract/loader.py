"""Contracts from YAML files; a wrong one is named with file, line and field."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails
from yaml.constructor import SafeConstructor

from headrace.contract.model import Contract
from headrace.contract.part import LARGEST
from headrace.errors import ContractError, SettingsError
from headrace.files import read_bounded

Field = tuple[str, ...]
"""The names that lead to a field; an element of a list is named by its number."""

DEEPEST = 20
"""Parts within parts that a contract may have; its model has six."""

OF_KINDS = (("source",), ("record", "key"))
"""Fields that have kinds."""

HINTS = {
    "extra_forbidden": "no such field; check the spelling or remove it",
    "missing": "is missing; add it",
}


def contract_files(folder: Path) -> list[Path]:
    """Every contract file of a folder, by name."""
    return sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")])


def find_contract(folder: Path, stream: str) -> Contract:
    """The contract of that stream.

    Raises:
        SettingsError: the folder has none of that name.
        ContractError: it is wrong.
    """
    file = next((file for file in contract_files(folder) if file.stem == stream), None)
    if file is None:
        known = ", ".join(file.stem for file in contract_files(folder)) or "none"
        raise SettingsError(f"no stream {stream!r} in {folder} (HEADRACE_STREAMS); there: {known}")
    return load_contract(file)


def load_contract(file: Path) -> Contract:
    """Read one contract.

    Raises:
        ContractError: it cannot be read, is no YAML, or does not fit; one line a fault, each with its place.
    """
    contract = _contract(file, _text(file))
    load_signal_names(contract)
    load_sql(contract)
    return contract


class WrittenContract(BaseModel):
    """A contract as it was written: what another process makes of it does not depend on files of its own.

    `signal_names`: the text of the file that its analysis names; None where it names none. `sql`: those of
    the files of its own gold tables.
    """

    model_config = ConfigDict(frozen=True)

    file: Path
    text: str
    signal_names: str | None
    sql: dict[str, str] = {}

    @classmethod
    def of(cls, file: Path) -> Self:
        """The contract in that file; raises as `load_contract`."""
        text = _text(file)
        contract = _contract(file, text)
        load_signal_names(contract)
        sql = load_sql(contract)
        return cls(file=file, text=text, signal_names=contract.analysis.signal_names_text, sql=sql)

    def load(self) -> Contract:
        """The contract; raises as `load_contract`."""
        contract = _contract(self.file, self.text)
        return contract.model_copy(
            update={"analysis": contract.analysis.with_texts(self.signal_names, self.sql)}
        )


def _contract(file: Path, text: str) -> Contract:
    node, written = _parsed(file, text)
    try:
        contract = Contract.model_validate(written)
    except ValidationError as broken:
        raise ContractError("\n".join(_faults(file, node, broken))) from broken
    if contract.stream != file.stem:
        raise ContractError(
            f"{_place(file, node, ('stream',))}: field stream: is {contract.stream!r}, but the file is "
            f"called {file.name}; name it {contract.stream}.yaml or change the stream"
        )
    return contract


def load_signal_names(contract: Contract) -> dict[str, str]:
    """The mapping of signal names, each once; the list itself may repeat an entry.

    Raises:
        ContractError: not a JSON list of {sig_name, sig_mapping_name}, or two names for one signal.
    """
    file = contract.analysis.signal_names_file
    if file is None:
        return {}
    try:
        entries = TypeAdapter(list[dict[str, str]]).validate_python(
            json.loads(contract.analysis.signal_names_text or "")
        )
        pairs = [(entry["sig_name"], entry["sig_mapping_name"]) for entry in entries]
    except OSError as absent:
        raise ContractError(
            f"{file}: cannot be read ({absent.strerror}); field analysis.signal_names names it"
        ) from absent
    except json.JSONDecodeError as broken:
        raise ContractError(f"{file}, line {broken.lineno}: no JSON: {broken.msg}") from broken
    except (ValidationError, KeyError, UnicodeDecodeError, RecursionError) as broken:
        raise ContractError(
            f"{file}: must be a JSON list of objects with the texts sig_name and sig_mapping_name"
        ) from broken
    return _unambiguous(file, contract, pairs)


def load_sql(contract: Contract) -> dict[str, str]:
    """The text of each gold table's SQL file.

    Raises:
        ContractError: a file cannot be read.
    """
    texts: dict[str, str] = {}
    try:
        texts = contract.analysis.sql_texts
    except (OSError, UnicodeDecodeError) as absent:
        files = ", ".join(str(table.file) for table in contract.analysis.tables.values())
        raise ContractError(f"{files}: {absent}; field analysis.tables names it") from absent
    return texts


def _unambiguous(file: Path, contract: Contract, pairs: list[tuple[str, str]]) -> dict[str, str]:
    names: dict[str, str] = {}
    for signal, name in pairs:
        if names.setdefault(signal, name) != name:
            raise ContractError(f"{file}: signal {signal!r} has two names, {names[signal]!r} and {name!r}")
    columns = [names.get(signal.name, signal.name) for signal in contract.record.signals]
    twice = sorted({column for column in columns if columns.count(column) > 1})
    if twice:
        raise ContractError(f"{file}: {twice[0]!r} would be the name of two signals")
    return names


def _text(file: Path) -> str:
    try:
        return read_bounded(file, LARGEST)
    except OSError as absent:
        raise ContractError(f"{file}: cannot be read: {absent.strerror}") from absent
    except UnicodeDecodeError as broken:
        raise ContractError(f"{file}: not UTF-8 at byte {broken.start}; save it as UTF-8") from broken


def _parsed(file: Path, text: str) -> tuple[yaml.Node, object]:
    """The text's nodes, which know their lines, and what they stand for.

    Raises:
        ContractError: it is no YAML, or says something twice.
    """
    # Not ruamel.yaml, which knows lines and repeated keys itself: 0.19.1 reads a curve's `y` as True in
    # YAML 1.1, and in 1.2 `yes` is a text and 010 ten; contracts mean what they mean to PyYAML.
    try:
        node = yaml.compose(text, Loader=_Loader)
        if not isinstance(node, yaml.MappingNode):
            raise ContractError(f"{file}, line 1: a contract is a mapping that begins with 'stream:'")
        _require_keys_once(file, node)
        return node, SafeConstructor().construct_document(node)
    except yaml.MarkedYAMLError as broken:
        line = broken.problem_mark.line + 1 if broken.problem_mark else 1
        raise ContractError(f"{file}, line {line}: no valid YAML: {broken.problem}") from broken
    except (yaml.YAMLError, ValueError) as broken:  # ValueError: 2000-13-01 looks like a date and is none
        raise ContractError(f"{file}: no valid YAML: {broken}") from broken


class _Loader(yaml.SafeLoader):
    """Takes no aliases, of which two kilobytes can stand for gigabytes, and no depth that has no meaning."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """As PyYAML does, unless the node is an alias or too deep."""
        if self.check_event(yaml.AliasEvent):
            raise self._refused("aliases are not taken in a contract; write out what this one stands for")
        if self.depth == DEEPEST:
            raise self._refused("it is nested too deeply")
        self.depth += 1
        node: yaml.Node | None = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def _refused(self, problem: str) -> yaml.MarkedYAMLError:
        event = self.peek_event()  # type: ignore[no-untyped-call]  # PyYAML's stubs leave it without types
        return yaml.MarkedYAMLError(problem=problem, problem_mark=event.start_mark)


def _require_keys_once(file: Path, node: yaml.Node) -> None:
    """YAML keeps the last of two equal keys in silence; a contract must not."""
    seen: set[Field] = set()
    for field, line in _lines(node):
        if field in seen:
            raise ContractError(f"{file}, line {line}: field {field[-1]}: stands twice; keep one")
        seen.add(field)


def _lines(node: yaml.Node, field: Field = ()) -> Iterator[tuple[Field, int]]:
    """Every field with its line, in the order of the file; a repeated key comes as often as it is there."""
    if isinstance(node, yaml.MappingNode):
        parts = [(str(key.value), key, value) for key, value in node.value]
    elif isinstance(node, yaml.SequenceNode):
        parts = [(str(number), value, value) for number, value in enumerate(node.value)]
    else:
        return
    for name, place, value in parts:
        yield (*field, name), place.start_mark.line + 1
        yield from _lines(value, (*field, name))


def _faults(file: Path, node: yaml.Node, broken: ValidationError) -> Iterator[str]:
    lines = dict(_lines(node))
    for error in broken.errors():
        field = _written(error["loc"])
        # One thing stands where a list could: it is a list of one to the model.
        one = [at for at, part in enumerate(field) if part == "0" and field[: at + 1] not in lines]
        field = tuple(part for at, part in enumerate(field) if at not in one)
        yield f"{_place(file, node, field)}: field {'.'.join(field) or 'the contract'}: {_reason(error)}"


def _written(path: tuple[int | str, ...]) -> Field:
    """Pydantic's path without the kind of source or key, which it puts in and nobody wrote there."""
    kind = next((len(of) for of in OF_KINDS if path[: len(of)] == of), len(path))
    return tuple(str(part) for part in path[:kind] + path[kind + 1 :])


def _reason(error: ErrorDetails) -> str:
    text = HINTS.get(error["type"]) or error["msg"].removeprefix("Value error, ")
    given = error["input"]
    if error["type"] in ("missing", "extra_forbidden", "value_error") or isinstance(given, dict | list):
        return text
    return f"{text} (it is {given!r})"


def _place(file: Path, node: yaml.Node, field: Field) -> str:
    """File and line of the field, or of the nearest part of it that is there."""
    lines = {(): node.start_mark.line + 1, **dict(_lines(node))}
    while field not in lines:
        field = field[:-1]
    return f"{file}, line {lines[field]}"
