"""Large answers: bounded in number, sent as fast as they are taken, and given up in the end."""

import asyncio
from typing import Any

import pytest

from halmirror.web import large
from halmirror.web.large import PART, LargeResponse, Room
from halmirror.web.problems import Problem

SCOPE: dict[str, Any] = {"type": "http", "method": "GET"}


async def nothing() -> dict[str, Any]:
    raise AssertionError("nothing is to be received")


def test_who_finds_no_room_is_asked_to_come_back() -> None:
    async def run() -> None:
        room = Room(1, 0.05)
        await room.take()
        with pytest.raises(Problem) as refused:
            await room.take()
        assert refused.value.status == 503
        assert "Retry-After" in refused.value.headers
        room.give_back()
        await room.take()

    asyncio.run(run())


def test_it_is_sent_in_parts_and_whole() -> None:
    sent: list[dict[str, Any]] = []
    ended: list[bool] = []

    async def send(message: Any) -> None:
        assert not ended
        sent.append(message)

    body = b"0123456789" * (PART // 4)
    response = LargeResponse(body, {"X-A": "b"}, "text/xml", lambda: ended.append(True))
    asyncio.run(response(SCOPE, nothing, send))
    assert sent[0]["status"] == 200
    assert (b"content-length", str(len(body)).encode()) in sent[0]["headers"]
    assert b"".join(one["body"] for one in sent[1:]) == body
    assert [one["more_body"] for one in sent[1:]] == [True, True, False]
    assert ended == [True]


def test_a_client_that_takes_nothing_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large, "_GRACE_SECONDS", 0.05)
    ended: list[bool] = []

    async def send(_: Any) -> None:
        await asyncio.sleep(60)

    response = LargeResponse(b"body", {}, "text/xml", lambda: ended.append(True))
    with pytest.raises(TimeoutError):
        asyncio.run(response(SCOPE, nothing, send))
    assert ended == [True]
