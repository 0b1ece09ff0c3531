"""The report's page: what the tables hold, as one HTML file that needs nothing else."""

from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
from jinja2 import Environment, PackageLoader, StrictUndefined
from matplotlib.figure import Figure

from headrace.contract.loader import load_signal_names
from headrace.contract.model import Contract
from headrace.errors import WarehouseError
from headrace.files import write_whole
from headrace.parse.reasons import Reason
from headrace.reconcile.ledger import Entry, read_ledger
from headrace.report import pictures
from headrace.report.cells import cell
from headrace.tables import queries
from headrace.tables.gold_columns import gold_column
from headrace.tables.names import DAILY_COMPLETENESS, GOLD, READINGS
from headrace.tables.warehouse import Warehouse

FIRST_ROWS = 6


def write_report(contract: Contract, warehouse: Warehouse, run_id: str) -> Path:
    """Write the report of a reconciled run.

    Returns:
        The file, which holds pictures and style itself and neither script nor link to anywhere.

    Raises:
        WarehouseError: the run has not been reconciled.
    """
    entries = [entry for entry in read_ledger(warehouse) if entry.run_id == run_id]
    if not entries:
        raise WarehouseError(f"run {run_id!r} is not in the ledger; clear and run `reconcile` first")
    file = warehouse.report(run_id)
    file.parent.mkdir(exist_ok=True)
    write_whole(file, _page(contract, warehouse, entries[-1]))
    return file


def _page(contract: Contract, warehouse: Warehouse, entry: Entry) -> str:
    # Everything in the tables is text of strangers: the page escapes all of it and may run no script.
    environment = Environment(
        loader=PackageLoader("headrace.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    environment.filters["number"] = _number
    zone = ZoneInfo(contract.record.event_time.timezone)
    counts = queries.counts(warehouse)
    slots = queries.completeness(contract, warehouse)
    return environment.get_template("page.html").render(
        contract=contract,
        entry=entry,
        counts=counts,
        slots=slots,
        reasons=[(code, Reason(code).text, count) for code, count in counts.quarantine.items()],
        finished=entry.finished.astimezone(zone),
        zone=zone.key,
        pictures=list(_pictures(contract, warehouse, counts, slots)),
        tables=[
            (name, queries.first_rows(contract, warehouse, name, FIRST_ROWS))
            for name in (READINGS, *GOLD)
            if warehouse.exists(name)
        ],
        cell=cell,
    )


def _pictures(
    contract: Contract,
    warehouse: Warehouse,
    counts: queries.Counts,
    slots: queries.Completeness | None,
) -> Iterator[tuple[str, str, str]]:
    """Title, sentence and data URI of each picture that the contract and the tables allow."""
    wanted, analysis = contract.report, contract.analysis
    zone = contract.record.event_time.timezone
    if counts.readings and wanted.curve:
        frame = queries.signals(warehouse, [wanted.curve.x, wanted.curve.y, wanted.curve.reference])
        figure = pictures.curve(frame, wanted.curve.x, wanted.curve.y, wanted.curve.reference)
        yield f"{wanted.curve.y} against {wanted.curve.x}", "One point a reading.", _uri(figure)
    if counts.days:
        daily = queries.scan(warehouse, DAILY_COMPLETENESS)
        if slots:
            daily = daily.filter(pl.col("signal_date").is_between(slots.first, slots.last))
        figure = pictures.calendar(daily.collect())
        yield "Completeness", f"A square a day. {_missing(slots)}", _uri(figure)
    if counts.hours and analysis.indicator:
        signal = analysis.indicator.signal
        column = gold_column(load_signal_names(contract).get(signal, signal))
        hourly = queries.hourly(warehouse, column, zone)
        figure = pictures.hours(hourly, column, analysis.indicator.signal, analysis.indicator)
        yield (
            f"{analysis.indicator.signal}, hour by hour",
            f"Coloured by {analysis.indicator.name}.",
            _uri(figure),
        )
    if counts.readings and wanted.rose:
        frame = queries.signals(warehouse, [wanted.rose.direction, wanted.rose.speed])
        figure = pictures.rose(frame, wanted.rose.direction, wanted.rose.speed)
        yield "Where it comes from", f"Share of the readings, by {wanted.rose.direction}.", _uri(figure)


def _missing(slots: queries.Completeness | None) -> str:
    if slots is None:
        return ""
    return (
        f"Between the first day and the last {_number(slots.missing)} of {_number(slots.expected)} readings "
        f"are missing; {_number(slots.absent_days)} days have none at all. {slots.remark()}"
    )


def _uri(figure: Figure) -> str:
    return "data:image/png;base64," + b64encode(pictures.png(figure)).decode("ascii")


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:,}"
