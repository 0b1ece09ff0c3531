"""The encoding of a text: by its mark, by being valid UTF-8, else by its words, and then it is asked."""

import pytest

from headrace.draft.encoding import guess_encoding

GERMAN = "Zeit;Wärmemenge;Außentemperatur\n" + "2024-01-01 00:00;Größe;über\n" * 20


@pytest.mark.parametrize(
    ("data", "encoding", "sure"),
    [
        (b"a,b\n1,2\n", "utf-8-sig", True),
        (b"\xef\xbb\xbfa,b\n", "utf-8-sig", True),
        (GERMAN.encode(), "utf-8-sig", True),
        (GERMAN.encode("utf-16"), "utf-16", True),
        (GERMAN.encode("cp1252"), "cp1252", False),
    ],
)
def test_it_is_told_by_its_bytes(data: bytes, encoding: str, sure: bool) -> None:
    guess = guess_encoding(data, cut=False)
    assert (guess.value, guess.sure) == (encoding, sure)


def test_a_character_that_the_cut_parts_is_no_fault() -> None:
    cut = GERMAN.encode()[:7]
    assert cut.endswith(b"\xc3")
    assert guess_encoding(cut, cut=True).value == "utf-8-sig"
    assert not guess_encoding(cut, cut=False).sure


def test_it_shows_how_the_first_strange_word_reads() -> None:
    guess = guess_encoding(GERMAN.encode("cp1252"), cut=False)
    assert "Wärmemenge" in guess.saw
