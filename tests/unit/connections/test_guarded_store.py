"""A customer's store is reached by checked addresses only, whatever its name says at that moment."""

import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address

import pytest

from service.connections.access import ENDPOINT_FIELD, GuardedDial
from service.errors import StoreUnavailableError, ValidationError
from service.source.guard import AddressGuard
from service.source.resolver import Address
from service.storage.clients import BucketAccess
from service.storage.s3 import S3ObjectStore
from service.storage.sessions import Keys


@dataclass
class Network:
    """Names and their addresses, each look-up taking the next; and what was dialled."""

    answers: Iterator[str]
    asked: list[tuple[str, int]] = field(default_factory=list)
    dialled: list[tuple[str, int]] = field(default_factory=list)

    def resolve(self, host: str, port: int) -> Sequence[Address]:
        self.asked.append((host, port))
        return [ip_address(next(self.answers))]

    def dial(self, address: Address, port: int, timeout: float | None) -> socket.socket:
        assert timeout is not None
        self.dialled.append((str(address), port))
        raise ConnectionRefusedError

    def guard(self) -> AddressGuard:
        return AddressGuard(frozenset(), ENDPOINT_FIELD, self.resolve, self.dial)


def store(network: Network, endpoint: str | None, *, path_style: bool = True) -> S3ObjectStore:
    access = BucketAccess(
        bucket="acme-billing",
        region="eu-west-1",
        endpoint=endpoint,
        path_style=path_style,
        keys=Keys("AKIA", "hush"),
        dial=GuardedDial(network.guard()),
        patience="quick",
    )
    return S3ObjectStore.open(access)


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "fd00::1"])
def test_a_name_that_leads_inside_is_never_dialled(address: str) -> None:
    network = Network(iter([address] * 9))
    with pytest.raises(ValidationError) as refused:
        store(network, "https://objects.example.com").put("a", b"x", "text/plain", {})
    assert (refused.value.details["field"], network.dialled) == (ENDPOINT_FIELD, [])


def test_a_name_that_changes_its_mind_is_judged_anew_for_each_connection() -> None:
    network = Network(iter(["93.184.216.34", "10.0.0.1"]))
    objects = store(network, "https://objects.example.com")
    with pytest.raises(StoreUnavailableError, match="EndpointConnectionError"):
        objects.head("a")
    with pytest.raises(ValidationError):
        objects.head("a")
    assert network.dialled == [("93.184.216.34", 443)]


@pytest.mark.parametrize("endpoint", ["http://objects.example.com", "https://objects.example.com:8443"])
def test_other_schemes_and_ports_are_never_dialled(endpoint: str) -> None:
    network = Network(iter(["93.184.216.34"] * 9))
    with pytest.raises(ValidationError):
        store(network, endpoint).head("a")
    assert network.dialled == []


@pytest.mark.parametrize("path_style", [True, False])
def test_amazon_s_own_store_is_dialled_by_its_name(path_style: object) -> None:
    network = Network(iter(["52.218.0.1"] * 9))
    with pytest.raises(StoreUnavailableError):
        store(network, None, path_style=bool(path_style)).head("a")
    host = "s3.eu-west-1.amazonaws.com"
    assert network.asked == [(host if path_style else f"acme-billing.{host}", 443)]
    assert network.dialled == [("52.218.0.1", 443)]
