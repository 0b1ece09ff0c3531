"""Each row of the table through the real scheduler: one clear message, the right state, green once mended.

Rows whose fault stays in their own stream are played beside each other; after them the others, one by one.
"""

import re
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from testbed.dag_stream import DagStream
from testbed.pipeline import Pipeline
from tests.long.wrong_input.rows import CASES, Case

pytestmark = pytest.mark.timeout(900)

BESIDE = [case for case in CASES if not case.alone]
ALONE = [case for case in CASES if case.alone]
AT_ONCE = 3
"""More would only wait for each other: the machine has two cores, and Airflow's database one writer."""


def named(case: Case) -> str:
    return case.name


@pytest.fixture(scope="module")
def chosen(request: pytest.FixtureRequest) -> list[Case]:
    """The rows that this session asks for."""
    asked = (each.callspec.params for each in request.session.items if hasattr(each, "callspec"))
    names = {params["case"].name for params in asked if "case" in params}
    return [case for case in CASES if case.name in names]


@pytest.fixture(scope="module")
def streams(pipeline: Pipeline, chosen: list[Case]) -> Iterator[dict[str, DagStream]]:
    """A stream a row, sound as yet; all at once, because it takes Airflow half a minute to see a new one."""
    streams = {case.name: DagStream(pipeline.of(stream_of(case))) for case in chosen}
    for case in chosen:
        if case.before is not None:
            case.before(streams[case.name])
        streams[case.name].write_contract()
    yield streams
    for stream in streams.values():
        stream.contract_file.unlink()


def stream_of(case: Case) -> str:
    return f"case_{re.sub(r'[^a-z]+', '_', case.name.lower())}"


@pytest.fixture(scope="module")
def played(streams: dict[str, DagStream]) -> Iterator[dict[str, Future[None]]]:
    """The rows that can be played beside each other, on their way."""
    pool = ThreadPoolExecutor(AT_ONCE)
    yield {case.name: pool.submit(play, case, streams[case.name]) for case in BESIDE if case.name in streams}
    pool.shutdown(wait=False, cancel_futures=True)


@pytest.mark.parametrize("case", BESIDE, ids=named)
def test_a_stream_says_what_is_wrong_and_is_green_once_mended(
    case: Case, played: dict[str, Future[None]]
) -> None:
    played[case.name].result()


@pytest.mark.parametrize("case", ALONE, ids=named)
def test_the_stack_says_what_is_wrong_and_is_green_once_mended(
    case: Case, streams: dict[str, DagStream]
) -> None:
    play(case, streams[case.name])


def play(case: Case, stream: DagStream) -> None:
    """The wrong run, the mending, and what is green then: the next run, or the same one at another try."""
    if case.before is not None:
        stream.start()
        require_green(stream)
    run_wrong(case, stream)
    if not case.transient:
        stream.start(**case.next_conf)
        if "accept_loss" in case.next_conf:
            allow_loss(stream)
    require_green(stream)
    if case.transient:
        assert stream.pipeline.task(stream.runs[-1], case.task)["try_number"] >= 2


def allow_loss(stream: DagStream) -> None:
    """The run is refused, because triggering is not enough; somebody who may set variables allows it."""
    assert stream.ended() == "failed"
    said = stream.said("land")
    assert re.search(r"\[HR103\] .*may set Airflow's variables has to allow it", said), said
    stream.pipeline.allow_loss(stream.runs[-1])


def run_wrong(case: Case, stream: DagStream) -> None:
    """Put it wrong, have it said, mend it."""
    case.wrong(stream)
    stream.write_contract()
    try:
        if case.variable is None:
            stream.start()
        else:
            stream.run_by_hand(*case.variable)
        case.meanwhile(stream)
        require_said(case, stream)
    finally:
        case.mended(stream)
        stream.write_contract()


def require_green(stream: DagStream) -> None:
    assert stream.ended() == "success", stream.pipeline.states(stream.runs[-1])


def require_said(case: Case, stream: DagStream) -> None:
    """The task's first try has ended in the state of the row, with the row's message."""

    def state() -> str | None:
        task = stream.pipeline.task(stream.runs[-1], case.task)
        if task["try_number"] > 1:
            return "up_for_retry"  # between two looks
        return task["state"] if task["state"] in {"success", "failed", "up_for_retry"} else None

    found = stream.pipeline.awaited(state, seconds=400)
    said = stream.said(case.task)
    assert found == case.state, said
    assert re.search(case.message, said), said
    codes = set(re.findall(r"\[(HR\d+)\]", said))
    assert len(codes) == (0 if case.state == "success" else 1), said
