"""A source's rows as the records that are published of them."""

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from json.encoder import encode_basestring
from operator import itemgetter

from headrace.contract.model import Contract
from headrace.kafka.headers import Header, Sign
from headrace.publish.row_identity import RowIdentities
from headrace.publish.sources.csv_rows import CsvRows

Row = list[str]

Record = tuple[int, str | None, str, list[Header]]
"""The row's number in the source; the record's key, value, headers. A tuple with names takes 0.3 µs more."""


def source_records(
    rows: CsvRows,
    contract: Contract,
    sign: Sign,
    last: int,
    first: int = 1,
    *,
    begins: int = 1,
    earlier: Sequence[CsvRows] = (),
) -> Iterator[Record]:
    """The rows from `first` to `last` as records; values are the source's own strings, `sign` makes headers.

    `begins`: the number of the first of `rows`; those before it are in `earlier`, files of the same header.
    Where the contract declares no identity the rows before `first` are read as well: an identity counts them.
    """
    header, chunks = rows.read()
    key = _key([header.index(field) for field in contract.record.key])
    as_they_are, escaped = _object(header, '"'), _object(header, "")
    identities = None if contract.record.identity else RowIdentities(str(rows.source.path), last, rows.folder)
    before = begins - 1
    if identities and earlier:
        before, chunks = 0, chain(chain.from_iterable(each.read()[1] for each in earlier), chunks)
    for whole in chunks:
        skipped = 0 if identities else min(max(first - 1 - before, 0), len(whole))
        chunk = whole.behind(skipped)
        plain = chunk.is_plain()
        pieces = as_they_are if plain else escaped
        for row, values in enumerate(chunk.values(), before + skipped + 1):
            if row > last:
                return
            pieces[1::2] = values if plain else map(encode_basestring, values)
            value = "".join(pieces)
            identity = identities.of_next(value) if identities else None
            if row >= first:
                yield row, key(values), value, [sign(row, identity, value)]
        before += len(whole)


def _object(header: Row, quote: str) -> list[str]:
    """The pieces of a JSON object, with an empty one for each value; `quote`: what stands around a value.

    Put together they are, to the byte, `json.dumps` of the row as a dictionary, compact and not in ASCII.
    """
    pieces = ["{"]
    for name in header:
        pieces[-1] += f"{encode_basestring(name)}:{quote}"
        pieces += ["", f"{quote},"]
    return [*pieces[:-1], f"{quote}}}"]


def _key(columns: Sequence[int]) -> Callable[[Row], str | None]:
    """What makes a row's key: the field's own text, a JSON array of several, none of none."""
    if not columns:
        return lambda _: None
    if len(columns) == 1:
        return itemgetter(*columns)
    return lambda values: f"[{','.join(encode_basestring(values[each]) for each in columns)}]"
