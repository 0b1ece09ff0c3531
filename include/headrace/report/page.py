"""The report's page: what the tables hold, as one HTML file that needs nothing else."""

from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
from jinja2 import Environment, PackageLoader, StrictUndefined
from matplotlib.figure import Figure

from headrace.contract.model import Contract
from headrace.files import write_whole
from headrace.parse.reasons import Reason
from headrace.reconcile.ledger import Entry
from headrace.report import pictures
from headrace.report.cells import cell
from headrace.report.newest import Shown, note_report
from headrace.tables import queries
from headrace.tables.gold_columns import HOUR, aggregated, averages_table, gold_tables
from headrace.tables.names import DAILY_COMPLETENESS, READINGS
from headrace.tables.signal_values import signal_values
from headrace.tables.warehouse import Warehouse

FIRST_ROWS = 6


def write_report(contract: Contract, warehouse: Warehouse, entry: Entry) -> Path:
    """Write the report of a reconciled run.

    Pictures are of the newest two years, and of a bounded number of readings: a page takes the same time
    whatever the tables hold.

    Returns:
        The file, which holds pictures and style itself and neither script nor link to anywhere.
    """
    shown = Shown.now(contract, warehouse, entry)  # before the tables are read: what comes later is new
    file = warehouse.report(entry.run_id)
    file.parent.mkdir(exist_ok=True)
    write_whole(file, _page(contract, warehouse, entry))
    note_report(warehouse, entry, shown)
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
    counts = queries.counts(warehouse, averages_table(contract))
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
            for name in (READINGS, *gold_tables(contract))
            if warehouse.exists(name)
        ],
        cell=cell,
    )


Picture = tuple[str, str, str]
"""Its title, a sentence, and the data URI."""


def _pictures(
    contract: Contract,
    warehouse: Warehouse,
    counts: queries.Counts,
    slots: queries.Completeness | None,
) -> Iterator[Picture]:
    """Each picture that the contract and the tables allow."""
    if counts.readings:
        yield from _of_readings(contract, warehouse, counts.readings)
    if counts.days:
        yield from _of_days(contract, warehouse, slots, bool(counts.hours))


def _of_readings(contract: Contract, warehouse: Warehouse, readings: int) -> Iterator[Picture]:
    curve, rose = contract.report.curve, contract.report.rose
    drawn = [*((curve.x, curve.y, curve.reference) if curve else ())]
    drawn += [*((rose.direction, rose.speed) if rose else ())]
    names = list(dict.fromkeys(filter(None, drawn)))
    if not names:
        return
    frame = signal_values(warehouse, names, record=contract.record)
    whole = len(frame) == readings
    some = f"{_number(len(frame))} of {_number(readings)} readings, evenly chosen"
    if curve:
        figure = pictures.curve(frame, curve.x, curve.y, curve.reference)
        text = "One point a reading." if whole else f"One point each for {some}."
        yield f"{curve.y} against {curve.x}", text, _uri(figure)
    if rose:
        figure = pictures.rose(frame, rose.direction, rose.speed)
        text = f"Share of {'the readings' if whole else some}, by {rose.direction}."
        yield "Where it comes from", text, _uri(figure)


def _of_days(
    contract: Contract, warehouse: Warehouse, slots: queries.Completeness | None, hours: bool
) -> Iterator[Picture]:
    daily = queries.scan(warehouse, DAILY_COMPLETENESS).collect()
    if slots:
        daily = daily.filter(pl.col("signal_date").is_between(slots.first, slots.last))
    days = daily["signal_date"].sort()
    since = pictures.months_shown(days[0], days[-1])[0]
    part = f" The newest {pictures.MONTHS} months are shown." if since > days[0] else ""
    yield "Completeness", f"A square a day.{part} {_missing(slots)}", _uri(pictures.calendar(daily))
    means = {each.signal.name: each.column for each in aggregated(contract) if each.aggregate == "mean"}
    slot = "hour" if contract.analysis.every == HOUR else "slot"
    for indicator in contract.analysis.indicator if hours else ():
        signal = indicator.signal
        if column := means.get(signal):
            averages = queries.averages(contract, warehouse, column, since)
            figure = pictures.hours(averages, column, signal, indicator, slot)
            yield f"{signal}, {slot} by {slot}", f"Coloured by {indicator.name}.{part}", _uri(figure)


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
