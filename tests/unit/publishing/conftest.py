"""A fake GitHub, and the edge to it, for the tests of publishing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sbir_gate.publishing.github_api import GitHubApi
from sbir_gate.publishing.github_requests import Clock, Connection
from tests.fakes_github import REPOSITORY, TOKEN, FakeGitHub, github


class FakeClock:
    """Time that passes only by waiting."""

    def __init__(self) -> None:
        self.moment = 1_000_000.0
        self.pauses: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.moment += seconds


@pytest.fixture
def fake() -> Iterator[FakeGitHub]:
    with github() as server:
        yield server


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def api(fake: FakeGitHub, clock: FakeClock) -> GitHubApi:
    return connected(fake, clock)


def connected(fake: FakeGitHub, clock: FakeClock, **facts: object) -> GitHubApi:
    facts = {"token": TOKEN, "seconds_between_writes": 0, "timeout_seconds": 5, **facts}
    return GitHubApi(Connection(fake.url, REPOSITORY, **facts), Clock(lambda: clock.moment, clock.sleep))
