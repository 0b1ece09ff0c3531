"""The commands `headrace contract export` and `import`."""

from pathlib import Path

from headrace.contract.loader import find_contract, load_contract
from headrace.contract.new_file import require_new, write_new
from headrace.odcs.document import as_text, read_document
from headrace.odcs.exporting import exported
from headrace.odcs.importing import imported
from headrace.settings import Settings

HEAD = "# From the ODCS document {name}, by `headrace contract import`."


def export_contract(given: str, settings: Settings) -> str:
    """The document of a contract, which is named by its stream or its file; raises as `find_contract`."""
    file = Path(given)
    known = file.suffix in {".yaml", ".yml"}
    return as_text(exported(load_contract(file) if known else find_contract(settings.streams_path, given)))


def import_contract(document: Path, output: Path | None, settings: Settings) -> tuple[Path, list[str]]:
    """Write the contract of a document; its file, and what the document does not say.

    Raises:
        ContractError: the document is none, or what it says makes no contract.
        SettingsError: there is a contract already.
    """
    found = imported(read_document(document), str(document))
    stream = found.definition["stream"]
    file = output or settings.streams_path / f"{stream}.yaml"
    require_new(file)
    found.definition["stream"] = file.stem
    remarks = [f"# MISSING {' '.join(line.split())}" for line in found.missing]
    text = as_text(found.definition)
    write_new(file, "\n".join([HEAD.format(name=document.name), *remarks, text]))
    return file, found.missing
