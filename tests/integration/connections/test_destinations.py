"""Which connection a `s3://…` means, and what becomes of it when the connection goes."""

from dataclasses import replace
from typing import Any

import pytest

from schemas.vocabulary import EntityType, FileType, TaskType
from service.access import ensure_scope
from service.connections.destinations import choose_destination, choose_source, find_destination, find_object
from service.connections.records import delete_connection
from service.connections.secrets import SecretLostError, new_secret_key
from service.db.models import Connection, Scope, Task
from service.db.session import Sessions
from service.errors import NotFoundError, ValidationError
from service.ids import new_id
from service.tracking.lifecycle import NewTask
from service.tracking.workbench import Workbench
from tests.factories.tasks import submit
from tests.integration.connections.conftest import Connect, Theirs

pytestmark = pytest.mark.parametrize("theirs", ["rclone"], indirect=True)


def add(sessions: Sessions, scope: Scope, bucket: str, key_prefix: str = "", **more: Any) -> str:
    """A connection whose bucket nobody asks for; returns its id."""
    columns = {"region": "eu-west-1", "use_path_style": False, "sealed_secret": "x", "is_managed": False, **more}
    made = Connection(
        id=new_id("conn"), scope_id=scope.id, name="x", provider_type="s3", bucket=bucket, key_prefix=key_prefix,
        **columns,
    )  # fmt: skip
    with sessions.begin() as session:
        session.add(made)
    return made.id


def refusal(sessions: Sessions, scope: Scope, url: str) -> str:
    with sessions() as session, pytest.raises(ValidationError) as refused:
        choose_destination(session, scope.id, url)
    assert list(refused.value.details) == ["file_url"]
    return str(refused.value.details["file_url"][0])


def test_the_longest_prefix_that_fits_wins_and_of_equals_the_newest(
    sessions: Sessions, scope: Scope, theirs: Theirs
) -> None:
    whole, a, _, newest = (add(sessions, scope, "acme", prefix) for prefix in ("", "a/", "a/b/", "a/b/"))
    with sessions() as session:
        for url, connection_id, path in [
            ("s3://acme", whole, ""),
            ("s3://acme/", whole, ""),
            ("s3://acme/c", whole, "c/"),
            ("s3://acme/ab", whole, "ab/"),
            ("s3://acme/a", a, "a/"),
            ("s3://acme/a/c/", a, "a/c/"),
            ("s3://acme/a/b", newest, "a/b/"),
            ("s3://acme/a/b/c/d", newest, "a/b/c/d/"),
        ]:
            chosen = choose_destination(session, scope.id, url)
            assert (chosen.connection.id, chosen.path) == (connection_id, path), url
        for url, connection_id in [("a/b/c.csv", newest), ("a/bc.csv", a), ("a", whole), ("x/y.csv", whole)]:
            source = choose_source(session, scope.id, f"s3://acme/{url}")
            assert (source.connection.id, source.path) == (connection_id, url)


def test_a_bucket_alone_means_the_prefix_of_its_one_connection(
    sessions: Sessions, scope: Scope, theirs: Theirs
) -> None:
    only = add(sessions, scope, "acme", "a/b/")
    with sessions() as session:
        chosen = choose_destination(session, scope.id, "s3://acme")
        assert (chosen.connection.id, chosen.path) == (only, "a/b/")
    add(sessions, scope, "acme", "c/")
    assert "outside of what connections reach: s3://acme/c/" in refusal(sessions, scope, "s3://acme")


def test_what_no_connection_reaches_is_refused_with_what_there_is(
    sessions: Sessions, scope: Scope, theirs: Theirs
) -> None:
    only = add(sessions, scope, "acme", "a/")
    assert refusal(sessions, scope, "s3://acme/b") == (
        f"'s3://acme/b' is outside of what connections reach: s3://acme/a/ ({only})."
    )
    assert refusal(sessions, scope, "s3://other/b") == (
        "There is no connection to the bucket 'other'; create one with POST /v1/connections."
    )
    assert "is no prefix" in refusal(sessions, scope, "s3://acme/a/../b")


def test_connections_of_others_deleted_ones_and_the_service_s_own_bucket_are_never_chosen(
    sessions: Sessions, scope: Scope, bench: Workbench, theirs: Theirs
) -> None:
    with sessions.begin() as session:
        other = ensure_scope(session, "tenant_a", "env_b")
    add(sessions, other, "acme")
    deleted = add(sessions, scope, "acme")
    with sessions.begin() as session:
        delete_connection(session, scope.id, deleted, "")
    own = bench.settings.s3_bucket
    add(sessions, scope, own, "tenant_a/env_a/", is_managed=True)
    for bucket in ("acme", own):
        assert "There is no connection" in refusal(sessions, scope, f"s3://{bucket}")
    with sessions() as session, pytest.raises(ValidationError):
        choose_source(session, scope.id, f"s3://{own}/tenant_b/env_b/customers/x.csv")


@pytest.mark.parametrize("url", ["s3://acme", "s3://acme/", "s3://acme/a/", "s3://acme/a//b", "s3://acme/../b"])
def test_a_source_needs_the_key_of_an_object(sessions: Sessions, scope: Scope, theirs: Theirs, url: str) -> None:
    add(sessions, scope, "acme")
    with sessions() as session, pytest.raises(ValidationError, match="s3://bucket/key"):
        choose_source(session, scope.id, url)


def test_a_destination_is_where_its_objects_are_found_again(
    connect: Connect, bench: Workbench, scope: Scope, theirs: Theirs
) -> None:
    made = connect(theirs.body(key_prefix="exports"))
    found = find_destination(
        bench.sessions, bench.settings, bench.store, scope.id, f"s3://{theirs.bucket}/exports/2026"
    )
    assert (found.bucket, found.prefix) == (theirs.bucket, "exports/2026/")
    chosen = find_destination(bench.sessions, bench.settings, bench.store, scope.id, f"s3://{theirs.bucket}", made.id)
    assert chosen.prefix == "exports/"
    found.store.put(f"{found.prefix}rows.csv", b"rows", "text/csv", {})
    task = exported(bench, scope, f"s3://{theirs.bucket}/exports/2026/rows.csv", made.id)
    store, key = find_object(bench.sessions, bench.settings, bench.store, task)
    assert (store.open_range(key, 0, 4), key) == (b"rows", "exports/2026/rows.csv")


def test_a_connection_that_no_longer_reaches_what_was_asked_for_is_told(
    connect: Connect, bench: Workbench, scope: Scope, theirs: Theirs
) -> None:
    made = connect(theirs.body(key_prefix="exports/2027"))
    with pytest.raises(ValidationError, match="Invalid file URL") as told:
        find_destination(
            bench.sessions, bench.settings, bench.store, scope.id, f"s3://{theirs.bucket}/exports/2026", made.id
        )
    assert "is outside of what connections reach" in str(told.value.details)


def test_without_a_url_the_service_s_own_bucket_is_meant(bench: Workbench, scope: Scope, theirs: Theirs) -> None:
    own = find_destination(bench.sessions, bench.settings, bench.store, scope.id, "")
    assert (own.store, own.bucket, own.prefix) == (bench.store, bench.settings.s3_bucket, "")
    task = exported(bench, scope, f"s3://{own.bucket}/a/b.csv", None)
    assert find_object(bench.sessions, bench.settings, bench.store, task) == (bench.store, "a/b.csv")
    moved = replace(bench.settings, s3_bucket="another")
    with pytest.raises(NotFoundError, match="which the service no longer uses"):
        find_object(bench.sessions, moved, bench.store, task)


def test_a_deleted_connection_is_told_to_whoever_looks_for_its_objects(
    connect: Connect, bench: Workbench, scope: Scope, theirs: Theirs
) -> None:
    made = connect(theirs.body())
    url = f"s3://{theirs.bucket}/rows.csv"
    task = exported(bench, scope, url, made.id)
    with bench.sessions.begin() as session:
        delete_connection(session, scope.id, made.id, "")
        assert session.get_one(Connection, made.id).sealed_secret is None
    told = f"The connection {made.id} was deleted, so its bucket can no longer be reached"
    with pytest.raises(NotFoundError, match=told):
        find_object(bench.sessions, bench.settings, bench.store, task)
    with pytest.raises(NotFoundError, match=told):
        find_destination(bench.sessions, bench.settings, bench.store, scope.id, f"s3://{theirs.bucket}", made.id)


def test_a_secret_whose_key_was_taken_away_is_told(
    connect: Connect, bench: Workbench, scope: Scope, theirs: Theirs
) -> None:
    made = connect(theirs.body())
    other = replace(bench.settings, secret_keys=(new_secret_key(),))
    with pytest.raises(SecretLostError, match=made.id):
        find_destination(bench.sessions, other, bench.store, scope.id, f"s3://{theirs.bucket}")


def exported(bench: Workbench, scope: Scope, url: str, connection_id: str | None) -> Task:
    """An export whose object is there."""
    new = NewTask(TaskType.EXPORT, EntityType.CUSTOMERS, FileType.CSV, file_url=url, connection_id=connection_id)
    return submit(bench, scope, new)
