"""Bytes to the fields of one JSON object, each value as the very text that the source wrote.

Spark's own reader turns `1.50e1` into `15.0` and `1e400` into `"Infinity"`, and passes over what stands
behind the first JSON value. So numbers are marked and quoted before it reads them, and the text is read as
the first of two array elements, the second of which nobody else can write.

An example, with ¤ for the mark and SEAL for the name that only this process knows:

    the text        {"power": 1.50e1, "note": "3 mills", "ok": true, "list": [1, "x"]}
    marked          {"power": "¤1.50e1", "note": "3 mills", "ok": true, "list": ["¤1", "x"]}
    sealed          [{"power": "¤1.50e1", …},{"SEAL":""}]
    `fields_of`     power: ¤1.50e1   note: 3 mills   ok: true   list: ["¤1","x"]
    `as_written`    power: 1.50e1    note: 3 mills   ok: true   list: [1,"x"]

`{"power": 1} {"power": 2}` and `{"power": 1},{}` are no single object: sealed they are no array of two, so
that `fields_of` is null.
"""

from uuid import uuid4

from pyspark.sql import Column
from pyspark.sql import functions as F

MARK = "\uffff"
"""In front of each number while it is quoted: a noncharacter, which Unicode reserves for uses like this.

A text that holds it all the same gets a longer mark, which nobody else can write.
"""

# From one match to the next (\G), past all that is no number, strings as a whole. All quantifiers of groups
# are possessive: Java runs those in a loop and others by recursion, which a long hostile text would overflow.
NUMBER = (
    r'\G((?:[^"0-9NI-]++|"(?:[^"\\]++|\\.)*+")*+)'
    r"(-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?+(?:[eE][+-]?[0-9]++)?+|NaN|-?Infinity)(?=[\s,\]}])"
)

# A \u escape of half a surrogate pair: UTF-8 has no form of it, and Spark would put a question mark there.
HALF_PAIR = (
    r"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F]"
)

_SEAL = uuid4().hex


def text_of(value: Column) -> Column:
    """The bytes as text; null where they are no UTF-8, or escape what UTF-8 cannot hold."""
    text = F.try_validate_utf8(value.cast("string"))
    # Other escapes out of the way first: in \\ud800 the u is escaped by nothing.
    escapes = F.regexp_replace(text, r"\\[^u]", "  ")
    return F.when(text.rlike(r"\\u[dD]") & escapes.rlike(HALF_PAIR), F.lit(None)).otherwise(text)


def fields_of(text: Column) -> Column:
    """The fields of one JSON object as MAP<STRING,STRING>, a repeated one repeated; null for anything else.

    A text is unquoted, a number, `true` or null is as written, an object or array is its compact JSON.
    """
    marked = F.regexp_replace(text, F.lit(NUMBER), F.concat(F.lit('$1"'), mark_of(text), F.lit('$2"')))
    sealed = F.concat(F.lit("["), marked, F.lit(f',{{"{_SEAL}":""}}]'))
    elements = F.from_json(sealed, "array<map<string,string>>", {"allowSingleQuotes": "false"})
    whole = F.size(elements) == 2
    sealed_by_us = F.map_keys(F.try_element_at(elements, F.lit(2))) == F.array(F.lit(_SEAL))
    return F.when(whole & sealed_by_us, F.try_element_at(elements, F.lit(1)))


def mark_of(text: Column) -> Column:
    """What stands before each number of `fields_of(text)`."""
    escaped = text.contains(r"\u") & text.rlike(r"\\u[fF]{4}")
    return F.when(text.contains(MARK) | escaped, F.lit(f"{MARK}{_SEAL}")).otherwise(F.lit(MARK))


def as_written(value: Column, mark: Column) -> Column:
    """A value of `fields_of` without the marks of its numbers."""
    nested = F.concat(F.lit('"'), mark, F.lit('([^"]*)"'))
    return (
        F.when(F.startswith(value, mark), F.substr(value, F.length(mark) + 1))
        .when(F.contains(value, mark), F.regexp_replace(value, nested, F.lit("$1")))
        .otherwise(value)
    )
