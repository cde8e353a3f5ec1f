"""Every SDK, each release, sync and async, against the running stack."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from uuid import uuid4

import pytest

from schemas.vocabulary import Role
from service.access import KeyTerms, ensure_scope, new_key, store_key
from service.db.session import make_engine, make_sessions
from tests.acceptance.conftest import Stack
from tests.acceptance.sdk.clients import RELEASES, Driver, Release, Sdk, start_driver
from tests.acceptance.sdk.crowd import ENVIRONMENT, TENANT, store_crowd
from tests.acceptance.sdk.sources import Origin, run_origin
from tests.environments import UnavailableError

DriverOf = Callable[[Release], Driver | str]
HandTo = Callable[[str], Sdk]

MODES = {f"{release.name}-{mode}": (release, mode) for release in RELEASES for mode in release.modes}


@pytest.fixture(scope="session")
def driver_of() -> Iterator[DriverOf]:
    """Gives the one driver of a release, or why there is none."""
    with ExitStack() as running:

        @cache
        def find(release: Release) -> Driver | str:
            try:
                return running.enter_context(start_driver(release.command()))
            except UnavailableError as error:
                return f"{release.name} cannot be installed: {error}"

        yield find


@pytest.fixture(params=list(MODES.values()), ids=list(MODES))
def hand_to(request: pytest.FixtureRequest, stack: Stack, driver_of: DriverOf) -> HandTo:
    """Gives the SDK to the user of a key: skipped with a reason where it cannot be installed, required in CI."""
    release, mode = request.param
    driver = driver_of(release)
    if isinstance(driver, str):
        (pytest.fail if os.environ.get("CI") else pytest.skip)(driver)
    return lambda api_key: Sdk(release, mode, driver, stack.ready["api_url"], api_key)


@pytest.fixture
def sdk(hand_to: HandTo, stack: Stack) -> Sdk:
    """An SDK in the hands of a tenant that has nothing yet."""
    return hand_to(make_key(stack, f"tenant_{uuid4().hex}", "env_sdk", Role.WRITER))


@pytest.fixture(scope="session")
def crowd_keys(stack: Stack) -> dict[Role, str]:
    """Keys of a tenant with 250 tasks, by what they may do."""
    store_crowd(stack.ready["database_url"])
    return {role: make_key(stack, TENANT, ENVIRONMENT, role) for role in (Role.READER, Role.WRITER)}


@pytest.fixture
def crowd_sdk(hand_to: HandTo, crowd_keys: dict[Role, str]) -> Sdk:
    """An SDK in the hands of the tenant with 250 tasks."""
    return hand_to(crowd_keys[Role.WRITER])


@pytest.fixture(scope="session")
def origin() -> Iterator[Origin]:
    """A host of files that the stack may fetch from."""
    with run_origin() as running:
        yield running


def make_key(stack: Stack, tenant: str, environment: str, role: Role, terms: KeyTerms | None = None) -> str:
    """A key of its own terms; the tenant's environment is made when it is new."""
    key = new_key()
    engine = make_engine(stack.ready["database_url"], "wharf-test")
    with make_sessions(engine).begin() as session:
        store_key(session, ensure_scope(session, tenant, environment), key, "test", role, terms)
    engine.dispose()
    return key
