"""The Celery app is what the rest of the code takes it for."""

from importlib import import_module
from types import ModuleType
from typing import Any

import celery
import pytest
from celery.app.defaults import SETTING_KEYS

from service.dispatch import ENTRY_POINTS, ROUTES, EntryPoint, Queue


@pytest.fixture
def worker(settings_in_environment: None) -> ModuleType:
    """The module of the worker's Celery app, with every entry point registered."""
    module = import_module("tasks.app")
    module.app.loader.import_default_modules()
    return module


def sample_task(**options: Any) -> celery.Task[..., object]:
    """A task of an app of its own."""
    app = celery.Celery("sample", set_as_current=False)

    @app.task(name="sample", shared=False, **options)
    def sample() -> None:
        """Nothing."""

    return app.tasks["sample"]


def unknown_options(task: celery.Task[..., object]) -> set[str]:
    """What was given to a task's decorator and means nothing to Celery, which keeps it without a word."""
    return set(vars(type(task))) - set(dir(celery.Task)) - set(vars(type(sample_task())))


def test_registered_tasks_are_the_entry_points(worker: ModuleType) -> None:
    registered = {name for name in worker.app.tasks if not name.startswith("celery.")}
    assert registered == set(EntryPoint)


def test_every_entry_point_has_a_queue_and_every_queue_an_entry_point() -> None:
    assert set(ROUTES) == set(EntryPoint)
    assert set(ROUTES.values()) == set(Queue)
    assert set(ENTRY_POINTS.values()) <= set(EntryPoint)


def test_the_worker_knows_all_queues_and_no_other(worker: ModuleType) -> None:
    assert {queue.name for queue in worker.app.conf.task_queues} == set(Queue)


def test_the_schedule_names_entry_points(worker: ModuleType) -> None:
    scheduled = {entry["task"] for entry in worker.app.conf.beat_schedule.values()}
    assert scheduled
    assert scheduled <= set(EntryPoint)


def test_celery_knows_every_option_of_the_app(worker: ModuleType) -> None:
    assert set(worker.celery_options(worker.settings)) - SETTING_KEYS == set()


def test_celery_knows_every_option_of_the_tasks(worker: ModuleType) -> None:
    options = {name: unknown_options(worker.app.tasks[name]) for name in EntryPoint}
    assert options == {name: set() for name in EntryPoint}


def test_a_misspelt_option_of_a_task_would_be_found() -> None:
    assert unknown_options(sample_task(ignore_results=True, ignore_result=True)) == {"ignore_results"}
