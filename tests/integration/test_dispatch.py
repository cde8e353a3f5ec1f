"""Messages on the real broker: what they hold, and how little a broker that is away costs."""

import base64
import json
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any

import pytest
import redis

from schemas.vocabulary import TaskType
from service.dispatch import CeleryDispatcher, Queue
from service.stack.servers import RunningServers

QUICK_SECONDS = 3.0


@pytest.fixture
def broker(servers: RunningServers) -> Iterator[redis.Redis]:
    """The broker, its queues empty before and after."""
    with redis.Redis.from_url(servers.valkey.url()) as client:
        client.delete(*Queue)
        yield client
        client.delete(*Queue)


@pytest.fixture
def dispatcher(servers: RunningServers) -> Iterator[CeleryDispatcher]:
    """The dispatcher of a web process."""
    yield from make_dispatcher(servers.valkey.url())


@pytest.fixture
def lonely_dispatcher() -> Iterator[CeleryDispatcher]:
    """A dispatcher that is told of a port where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    yield from make_dispatcher(f"redis://127.0.0.1:{port}/0")


def make_dispatcher(broker_url: str) -> Iterator[CeleryDispatcher]:
    dispatcher = CeleryDispatcher(broker_url)
    yield dispatcher
    dispatcher._celery.close()


@contextmanager
def frozen(servers: RunningServers) -> Iterator[None]:
    """The broker accepts connections, as its system does that for it, and answers nothing."""
    process_id = servers.supervisor.process_id("valkey")
    os.kill(process_id, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process_id, signal.SIGCONT)


def messages(broker: redis.Redis, queue: Queue) -> list[dict[str, Any]]:
    waiting: Any = broker.lrange(queue, 0, -1)
    return [json.loads(message) for message in waiting]


def body(message: dict[str, Any]) -> Any:
    """What the message tells the worker's function."""
    return json.loads(base64.b64decode(message["body"]))


@pytest.mark.parametrize(
    ("task_type", "queue", "name"),
    [(TaskType.IMPORT, Queue.IMPORTS, "wharf.import"), (TaskType.EXPORT, Queue.EXPORTS, "wharf.export")],
)
def test_a_message_is_the_task_s_id_alone_on_the_queue_of_its_type(
    broker: redis.Redis, dispatcher: CeleryDispatcher, task_type: TaskType, queue: Queue, name: str
) -> None:
    assert dispatcher.dispatch("task_1", task_type) is True
    [message] = messages(broker, queue)
    arguments, keywords, chained = body(message)
    assert (arguments, keywords) == (["task_1"], {})
    assert set(chained.values()) == {None}
    assert (message["headers"]["task"], message["content-type"]) == (name, "application/json")
    assert [messages(broker, other) for other in Queue if other != queue] == [[], []]


def test_copies_wake_as_many_workers(broker: redis.Redis, dispatcher: CeleryDispatcher) -> None:
    assert dispatcher.dispatch("task_1", TaskType.IMPORT, copies=3) is True
    assert [body(message)[0] for message in messages(broker, Queue.IMPORTS)] == [["task_1"]] * 3


def test_a_message_survives_until_somebody_reads_it_and_leaves_nothing_beside_it(
    broker: redis.Redis, dispatcher: CeleryDispatcher
) -> None:
    dispatcher.dispatch("task_1", TaskType.EXPORT)
    assert broker.ttl(Queue.EXPORTS) == -1
    assert list(broker.scan_iter("celery-task-meta-*")) == []


def test_dispatch_to_a_port_where_nobody_listens_is_refused_quickly(lonely_dispatcher: CeleryDispatcher) -> None:
    began_at = monotonic()
    assert lonely_dispatcher.dispatch("task_1", TaskType.IMPORT) is False
    assert monotonic() - began_at < QUICK_SECONDS


def test_dispatch_to_a_frozen_broker_is_refused_quickly(
    servers: RunningServers, broker: redis.Redis, dispatcher: CeleryDispatcher
) -> None:
    with frozen(servers):
        began_at = monotonic()
        assert dispatcher.dispatch("task_1", TaskType.IMPORT) is False
        assert monotonic() - began_at < QUICK_SECONDS


def test_dispatch_over_a_connection_that_froze_is_refused_quickly(
    servers: RunningServers, broker: redis.Redis, dispatcher: CeleryDispatcher
) -> None:
    assert dispatcher.dispatch("task_1", TaskType.IMPORT) is True
    with frozen(servers):
        began_at = monotonic()
        assert dispatcher.dispatch("task_2", TaskType.IMPORT) is False
        assert monotonic() - began_at < QUICK_SECONDS


def test_dispatch_works_again_when_the_broker_is_back(
    servers: RunningServers, broker: redis.Redis, dispatcher: CeleryDispatcher
) -> None:
    with frozen(servers):
        dispatcher.dispatch("task_1", TaskType.IMPORT)
    broker.delete(Queue.IMPORTS)
    assert dispatcher.dispatch("task_2", TaskType.IMPORT) is True
    assert ["task_2"] in [body(message)[0] for message in messages(broker, Queue.IMPORTS)]


def test_a_broker_that_runs_answers(broker: redis.Redis, dispatcher: CeleryDispatcher) -> None:
    assert dispatcher.answers() is True
    assert [messages(broker, queue) for queue in Queue] == [[], [], []]


def test_a_port_where_nobody_listens_does_not_answer(lonely_dispatcher: CeleryDispatcher) -> None:
    began_at = monotonic()
    assert lonely_dispatcher.answers() is False
    assert monotonic() - began_at < QUICK_SECONDS


def test_a_frozen_broker_does_not_answer(
    servers: RunningServers, broker: redis.Redis, dispatcher: CeleryDispatcher
) -> None:
    with frozen(servers):
        began_at = monotonic()
        assert dispatcher.answers() is False
        assert monotonic() - began_at < QUICK_SECONDS
    assert dispatcher.answers() is True
