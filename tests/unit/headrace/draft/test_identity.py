"""Entity and identity, by what is unique over all rows."""

import polars as pl

from headrace.draft.columns import profile
from headrace.draft.guess import Guess
from headrace.draft.identity import Known, guess_identity
from headrace.draft.look import Look
from headrace.draft.times import Time


def identity_of(at: list[int], **columns: list[str]) -> Guess[Known]:
    names = ("at", *columns)
    texts = [[f"text of {each}" for each in at], *columns.values()]
    look = Look(pl.DataFrame({str(n): each for n, each in enumerate(texts)}), names, "", whole=True)
    instants = pl.Series("at", at).cast(pl.Datetime("us", "UTC"))
    time = Time(("at",), ("iso",), len(at), len(at), 0, instants)
    return guess_identity(look, time, tuple(profile(name, look.column(name)) for name in names))


def values(count: int) -> list[str]:
    return [f"{n / 7:.3f}" for n in range(count)]


def test_a_time_for_each_row_is_one_device() -> None:
    guess = identity_of([*range(100)], v=values(100))
    assert (guess.value, guess.sure) == (Known(None, ("at",)), True)


def test_the_device_is_what_tells_equal_times_apart() -> None:
    at = [n // 4 for n in range(400)]
    guess = identity_of(at, state=["on", "off"] * 200, turbine=["a", "b", "c", "d"] * 100, v=values(400))
    assert (guess.value, guess.sure) == (Known("turbine", ("turbine", "at")), True)
    assert "by the time alone 100" in guess.saw


def test_a_name_and_a_number_of_the_same_devices_are_no_question() -> None:
    at = [n // 2 for n in range(40)]
    guess = identity_of(at, station_id=["1", "2"] * 20, station=["Ems", "Aare"] * 20)
    assert guess.value.entity == "station"
    assert guess.sure


def test_equal_rows_are_repeats_and_no_conflicts() -> None:
    guess = identity_of([1, 2, 2, 3], v=["1", "2", "2", "3"])
    assert (guess.value.identity, guess.sure) == (("at",), True)
    assert "1 more repeat another one word for word" in guess.saw


def test_a_few_conflicts_are_asked_about_with_their_days() -> None:
    guess = identity_of([*range(199), 198], v=values(200))
    assert (guess.value, guess.sure) == (Known(None, ("at",)), False)
    assert "1 are another one's likes with other values" in guess.saw
    assert "on 1970-01-01" in guess.saw
    assert guess.others == (Known(None, None),)


def test_two_fields_where_one_is_not_enough() -> None:
    at = [n // 4 for n in range(80)]
    guess = identity_of(at, site=["a", "a", "b", "b"] * 20, quantity=["t", "p"] * 40, v=values(80))
    assert (guess.value, guess.sure) == (Known("site", ("site", "quantity", "at")), False)


def test_an_id_of_its_own_goes_before_the_time() -> None:
    at = [n // 3 for n in range(30)]
    guess = identity_of(at, event_id=[f"e{n}" for n in range(30)], v=values(30))
    assert guess.value == Known(None, ("event_id",))


def test_nothing_tells_them_apart() -> None:
    guess = identity_of([n // 50 for n in range(100)], v=values(100))
    assert (guess.value, guess.sure) == (Known(None, None), True)
    assert "its whole content" in guess.saw


def test_a_measured_number_is_no_device_though_it_tells_rows_apart() -> None:
    at = [*range(299), 298]
    guess = identity_of(at, glucose=[str(100 + n % 90) for n in range(300)])
    assert (guess.value, guess.sure) == (Known(None, ("at",)), False)


def test_devices_that_never_wrote_at_once_are_asked_about() -> None:
    guess = identity_of([*range(40)], sensor=["a", "b"] * 20, v=values(40))
    assert (guess.value, guess.sure) == (Known("sensor", ("sensor", "at")), False)
    assert guess.others == (Known(None, ("at",)),)
