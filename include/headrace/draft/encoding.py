"""Which encoding a text's bytes are in."""

import codecs

from charset_normalizer import from_bytes

from headrace.draft.guess import Guess

EIGHT_BIT = {"cp1252": "cp1252", "iso8859_9": "iso-8859-9", "latin_1": "latin-1"}
"""What files of measurements are in that are no UTF-8, by the names of charset-normalizer."""

SHOWN = 40


def guess_encoding(data: bytes, cut: bool) -> Guess[str]:
    """The encoding by a byte-order mark, else UTF-8 if all of it is; else by how its letters occur in words.

    `cut`: whether the bytes may end within a character.
    """
    for mark, name in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if data.startswith(mark):
            return Guess(name, "it begins with a byte-order mark")
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(data, final=not cut)
    except UnicodeDecodeError as broken:
        return _eight_bit(data, broken.start)
    beyond = sum(not each.isascii() for each in set(text))
    if not beyond:
        return Guess("utf-8-sig", "all of it is ASCII")
    return Guess("utf-8-sig", f"{beyond} kinds of characters beyond ASCII, all of it valid UTF-8")


def _eight_bit(data: bytes, at: int) -> Guess[str]:
    found = from_bytes(data[:1_000_000], cp_isolation=[*EIGHT_BIT], enable_fallback=False).best()
    best = EIGHT_BIT.get(found.encoding, "cp1252") if found else "cp1252"
    begin = max(data.rfind(b"\n", 0, at) + 1, at - SHOWN // 2)
    piece = data[begin : begin + SHOWN].split(b"\n")[0].strip()
    seen = piece.decode(best, errors="replace")
    return Guess(
        best,
        f"byte {at + 1:,} is no UTF-8; as {best} it reads {seen!r}",
        sure=False,
        question="Which encoding is the text in?",
        others=tuple(name for name in EIGHT_BIT.values() if name != best),
    )
