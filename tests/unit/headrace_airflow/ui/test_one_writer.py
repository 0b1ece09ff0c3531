"""Requests that write take turns; reading ones and slow senders hold up nobody."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from httpx import ASGITransport, AsyncClient
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from headrace_airflow.ui import one_writer
from headrace_airflow.ui.one_writer import OneWriter


@dataclass
class Server:
    """Answers with the request's body, a POST only once it may; keeps how many POSTs were inside at once."""

    may_end: asyncio.Event = field(default_factory=asyncio.Event)
    has_begun: asyncio.Event = field(default_factory=asyncio.Event)
    inside: int = 0
    most: int = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await Request(scope, receive).body()
        if scope["method"] == "POST":
            self.inside += 1
            self.most = max(self.most, self.inside)
            self.has_begun.set()
            await self.may_end.wait()
            self.inside -= 1
        await PlainTextResponse(body)(scope, receive, send)


def client(server: Server) -> AsyncClient:
    return AsyncClient(transport=ASGITransport(OneWriter(server)), base_url="http://127.0.0.1")


def test_writing_requests_take_turns_and_reading_ones_pass() -> None:
    async def play() -> None:
        server = Server()
        async with client(server) as http:
            writing = [asyncio.create_task(http.post("/", content=f"run {n}")) for n in range(5)]
            await server.has_begun.wait()
            assert (await http.get("/")).text == ""
            server.may_end.set()
            assert [answer.text for answer in await asyncio.gather(*writing)] == [
                f"run {n}" for n in range(5)
            ]
        assert server.most == 1

    asyncio.run(play())


def test_who_sends_slowly_holds_up_nobody() -> None:
    async def play() -> None:
        server = Server()
        server.may_end.set()
        rest_may_come = asyncio.Event()

        async def slowly() -> AsyncIterator[bytes]:
            yield b"a half, "
            await rest_may_come.wait()
            yield b"and the rest"

        async with client(server) as http:
            slow = asyncio.create_task(http.post("/", content=slowly()))
            assert (await http.post("/", content="quick")).text == "quick"
            rest_may_come.set()
            assert (await slow).text == "a half, and the rest"

    asyncio.run(play())


def test_who_hangs_up_before_his_turn_does_not_come_in() -> None:
    server = Server()

    async def gone() -> Message:
        return {"type": "http.disconnect"}

    async def unanswered(_: Message) -> None:
        raise AssertionError("answered nobody")

    scope = {"type": "http", "method": "POST", "path": "/", "headers": []}
    asyncio.run(OneWriter(server)(scope, gone, unanswered))
    assert server.most == 0


async def posted(app: OneWriter, send: Send, *bodies: bytes) -> None:
    """One POST, its body in these pieces; after them the sender falls silent."""
    pieces: list[Message] = [{"type": "http.request", "body": b, "more_body": True} for b in bodies]
    if pieces:
        pieces[-1]["more_body"] = False

    async def receive() -> Message:
        if not pieces:
            await asyncio.Event().wait()
        return pieces.pop(0)

    await app({"type": "http", "method": "POST", "path": "/", "headers": []}, receive, send)


def test_who_reads_his_answer_slowly_holds_up_nobody() -> None:
    async def play() -> None:
        server = Server()
        server.may_end.set()
        app = OneWriter(server)
        answered, reads_on = asyncio.Event(), asyncio.Event()

        async def slowly(_: Message) -> None:
            answered.set()
            await reads_on.wait()

        slow = asyncio.create_task(posted(app, slowly, b"slow"))
        await answered.wait()
        async with AsyncClient(transport=ASGITransport(app), base_url="http://127.0.0.1") as http:
            assert (await http.post("/", content="quick")).text == "quick"
        reads_on.set()
        await slow

    asyncio.run(play())


def test_a_request_that_never_ends_holds_up_the_others_for_a_turn_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(one_writer, "TURN_SECONDS", 0.01)

    async def play() -> None:
        server = Server()
        app = OneWriter(server)
        async with AsyncClient(transport=ASGITransport(app), base_url="http://127.0.0.1") as http:
            both = [asyncio.create_task(http.post("/", content=text)) for text in ("stuck", "next")]
            while server.inside < 2:
                await asyncio.sleep(0)
            server.may_end.set()
            assert [answer.text for answer in await asyncio.gather(*both)] == ["stuck", "next"]

    asyncio.run(play())


@pytest.mark.parametrize(("limit", "value", "status"), [("MAX_BODY", 7, 413), ("BODY_SECONDS", 0.01, 408)])
def test_what_is_too_large_or_too_slow_is_refused_before_its_turn(
    limit: str, value: float, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(one_writer, limit, value)
    bodies = [b"four", b"four"] if status == 413 else []
    assert refused(Asked(True), *bodies) == (status, 0)


@dataclass
class Asked:
    """Who is asked whether somebody has logged in; keeps how often."""

    answer: bool
    times: int = 0

    async def __call__(self, _: Request) -> bool:
        self.times += 1
        return self.answer


def refused(logged_in: Asked, *bodies: bytes) -> tuple[int, int]:
    """The status that a POST of these pieces is told, and how many of them were not asked for."""
    told, left = list[Message](), list(bodies)

    async def tell(message: Message) -> None:
        told.append(message)

    async def play() -> None:
        async def receive() -> Message:
            if not left:
                await asyncio.Event().wait()
            return {"type": "http.request", "body": left.pop(0), "more_body": True}

        server = Server()
        await OneWriter(server, logged_in)(
            {"type": "http", "method": "POST", "path": "/", "headers": []}, receive, tell
        )
        assert server.most == 0

    asyncio.run(play())
    return told[0]["status"], len(left)


def test_of_a_stranger_little_is_read_and_who_has_logged_in_is_asked_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(one_writer, "STRANGERS_BODY", 4)
    assert refused(Asked(False), b"four", b"more", b"and the rest") == (401, 1)

    async def play(logged_in: Asked, *bodies: str) -> None:
        server = Server()
        server.may_end.set()
        transport = ASGITransport(OneWriter(server, logged_in))
        async with AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
            for body in bodies:
                assert (await http.post("/", content=body)).text == body

    for answer, bodies, times in ((True, ("four and more",), 1), (False, ("four", ""), 0)):
        asyncio.run(play(asked := Asked(answer), *bodies))
        assert asked.times == times
