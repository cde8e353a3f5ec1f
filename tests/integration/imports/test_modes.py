"""What may happen to a key: insert, update and upsert of each entity, and what blank cells do."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import select

from schemas.vocabulary import EntityType, TaskState
from service.db.models import Customer, Event, Feature, Meter, Price, Scope
from service.tracking.workbench import Workbench
from tests.integration.imports.lives import column, counts, errors, names, run, scope_of, with_chunks

CUSTOMERS, FEATURES, PRICES, EVENTS = (
    EntityType.CUSTOMERS,
    EntityType.FEATURES,
    EntityType.PRICES,
    EntityType.EVENTS,
)
PRICE_NAMES = (
    "lookup_key,display_name,amount,type,currency,entity_type,entity_id,billing_model,billing_period,"
    "billing_period_count,invoice_cadence\n"
)
PRICE_REST = "FIXED,usd,PLAN,p,FLAT_FEE,MONTHLY,1,ADVANCE"


@dataclass(frozen=True)
class Keyed:
    """An entity with a key: its header, a row by key and name, and the columns that hold these two."""

    entity: EntityType
    header: str
    row: Callable[[str, str], str]
    key: Any
    name: Any

    def file(self, *rows: tuple[str, str]) -> str:
        return self.header + "".join(self.row(key, name) + "\n" for key, name in rows)

    def stored(self, bench: Workbench, scope: Scope) -> list[tuple[str, str]]:
        wanted = select(self.key, self.name).where(self.key.class_.scope_id == scope.id).order_by(self.key)
        with bench.sessions() as session:
            return [(key, name) for key, name in session.execute(wanted)]


KEYED = {
    CUSTOMERS: Keyed(
        CUSTOMERS, "external_id,name\n", lambda key, name: f"{key},{name}", Customer.external_id, Customer.name
    ),
    FEATURES: Keyed(
        FEATURES,
        "lookup_key,name,type\n",
        lambda key, name: f"{key},{name},boolean",
        Feature.lookup_key,
        Feature.name,
    ),
    PRICES: Keyed(
        PRICES, PRICE_NAMES, lambda key, name: f"{key},{name},1.5,{PRICE_REST}", Price.lookup_key, Price.display_name
    ),
}


MODES: dict[str, tuple[tuple[int, ...], dict[int, str], list[tuple[str, str]]]] = {
    "insert": ((1, 0, 0, 3), dict.fromkeys((1, 3, 4), "already_exists"), [("k1", "Old"), ("k2", "A")]),
    "update": ((0, 2, 0, 2), dict.fromkeys((2, 3), "not_found"), [("k1", "C")]),
    "upsert": ((1, 3, 0, 0), {}, [("k1", "C"), ("k2", "B")]),
}


@pytest.mark.parametrize("chunk_bytes", [1, 1 << 20], ids=["a chunk for each row", "one chunk"])
@pytest.mark.parametrize("entity", KEYED)
def test_a_mode_says_what_may_happen_to_a_key(bench: Workbench, chunk_bytes: int, entity: EntityType) -> None:
    keyed = KEYED[entity]
    found = {}
    for mode in MODES:
        scope = scope_of(bench, mode)
        run(bench, scope, entity, keyed.file(("k1", "Old")))
        content = keyed.file(("k1", "New"), ("k2", "A"), ("k2", "B"), ("k1", "C"))
        task = run(with_chunks(bench, chunk_bytes), scope, entity, content, mode=mode)
        refused = {row: code for row, name, code in errors(bench, task) if name == keyed.key.name}
        found[mode] = (counts(task), refused, keyed.stored(bench, scope))
    assert found == MODES


@pytest.mark.parametrize("entity", KEYED)
def test_the_default_makes_prices_anew_and_makes_or_changes_the_others(
    bench: Workbench, scope: Scope, entity: EntityType
) -> None:
    content = KEYED[entity].file(("k1", "One"))
    run(bench, scope, entity, content)
    again = run(bench, scope, entity, content)
    assert counts(again) == ((0, 0, 0, 1) if entity is PRICES else (0, 1, 0, 0))


def test_a_refused_key_is_told_with_what_to_do(bench: Workbench, scope: Scope) -> None:
    keyed = KEYED[CUSTOMERS]
    run(bench, scope, CUSTOMERS, keyed.file(("k1", "One")))
    taken = run(bench, scope, CUSTOMERS, keyed.file(("k1", "One")), mode="insert")
    unknown = run(bench, scope, CUSTOMERS, keyed.file(("k2", "Two")), mode="update")
    assert taken.error_summary == (
        '1 row refused (already_exists 1). Row 1 (line 2): external_id "k1" belongs to another customer, '
        "perhaps of an earlier row; choose another, or import with mode upsert or update"
    )
    assert unknown.error_summary == (
        '1 row refused (not_found 1). Row 1 (line 2): external_id "k2" belongs to no customer; correct it, or import '
        "with mode upsert"
    )


@pytest.mark.parametrize(
    ("entity", "content", "changed"),
    [
        (CUSTOMERS, "external_id,address_city\nk1,Rome\n", (Customer.name, Customer.address_city, ["One"], ["Rome"])),
        (FEATURES, "lookup_key,unit_singular,unit_plural\nk1,call,calls\n",
         (Feature.name, Feature.unit_plural, ["One"], ["calls"])),
        (PRICES, "lookup_key,description\nk1,cheap\n", (Price.display_name, Price.description, ["One"], ["cheap"])),
    ],
)  # fmt: skip
def test_an_update_needs_nothing_but_the_key(
    bench: Workbench, scope: Scope, entity: EntityType, content: str, changed: tuple[Any, Any, list[str], list[str]]
) -> None:
    run(bench, scope, entity, KEYED[entity].file(("k1", "One")))
    task = run(bench, scope, entity, content, mode="update")
    kept, given, names_stored, values_stored = changed
    assert (counts(task), column(bench, kept), column(bench, given)) == ((0, 1, 0, 0), names_stored, values_stored)


def test_an_update_without_a_key_is_refused(bench: Workbench, scope: Scope) -> None:
    task = run(bench, scope, PRICES, "lookup_key,amount\n,2\n", mode="update")
    assert (counts(task), errors(bench, task)) == ((0, 0, 0, 1), [(1, "lookup_key", "required")])


def test_a_price_that_has_ended_can_be_made_anew_and_no_longer_be_changed(bench: Workbench, scope: Scope) -> None:
    keyed = KEYED[PRICES]
    run(bench, scope, PRICES, keyed.file(("k1", "Old")))
    ended = run(bench, scope, PRICES, "lookup_key,end_date\nk1,2099-01-01T00:00:00Z\n", mode="update")
    unknown = run(bench, scope, PRICES, keyed.file(("k1", "New")), mode="update")
    made = run(bench, scope, PRICES, keyed.file(("k1", "New")), mode="upsert")
    assert (counts(ended), counts(unknown), counts(made)) == ((0, 1, 0, 0), (0, 0, 0, 1), (1, 0, 0, 0))
    assert column(bench, Price.display_name, Price.import_id) == ["Old", "New"]


@pytest.mark.parametrize("chunk_bytes", [1, 1 << 20], ids=["a chunk for each row", "one chunk"])
def test_events_that_are_known_are_skipped_and_the_first_of_a_file_is_kept(
    bench: Workbench, scope: Scope, chunk_bytes: int
) -> None:
    header = "event_id,event_name,external_customer_id\n"
    run(bench, scope, EVENTS, header + "e1,old,c\n")
    content = header + "e1,new,c\ne2,first,c\ne2,second,c\n,without,c\n,without,c\n"
    task = run(with_chunks(bench, chunk_bytes), scope, EVENTS, content, mode="insert")
    assert (task.state, counts(task)) == (TaskState.COMPLETED, (3, 0, 2, 0))
    assert sorted(column(bench, Event.event_name)) == ["first", "old", "without", "without"]


def test_a_changed_feature_keeps_its_type_and_its_meter(bench: Workbench, scope: Scope) -> None:
    header = "lookup_key,name,type,meter_name,event_name,aggregation_type\n"
    run(bench, scope, FEATURES, header + "k1,Calls,metered,Calls,call,COUNT\n")
    task = run(bench, scope, FEATURES, header + "k1,All calls,metered,Other,other,COUNT\nk1,No calls,boolean,,,\n")
    assert counts(task) == (0, 2, 0, 0)
    assert column(bench, Feature.name) == ["No calls"]
    assert column(bench, Feature.type) == ["metered"]
    assert column(bench, Meter.event_name) == ["call"]


@pytest.mark.parametrize("chunk_bytes", [1, 1 << 20], ids=["a chunk for each row", "one chunk"])
@pytest.mark.parametrize(
    ("blank", "stored"),
    [
        ("keep", {"k1": ("a@b.example", "Rome"), "k2": ("a@b.example", "Oslo"), "k3": (None, "Bern")}),
        ("clear", {"k1": (None, None), "k2": ("a@b.example", "Oslo"), "k3": (None, None)}),
    ],
)
def test_a_blank_cell_keeps_or_clears_what_is_stored_in_the_order_of_the_file(
    bench: Workbench, scope: Scope, chunk_bytes: int, blank: str, stored: dict[str, tuple[str | None, str | None]]
) -> None:
    header = "external_id,name,email,address_city,metadata.x\n"
    run(bench, scope, CUSTOMERS, header + "k1,One,a@b.example,Rome,1\nk2,Two,a@b.example,Rome,1\n")
    content = header + "k1,One,,,\nk2,Two,,,\nk3,Three,,Bern,\nk2,Two,a@b.example,Oslo,\nk3,Three,,,\n"
    task = run(with_chunks(bench, chunk_bytes), scope, CUSTOMERS, content, blank=blank)
    assert counts(task) == (1, 4, 0, 0)
    with bench.sessions() as session:
        rows = session.scalars(select(Customer)).all()
    assert {row.external_id: (row.email, row.address_city) for row in rows} == stored
    assert {row.external_id: row.metadata_ for row in rows} == {"k1": {"x": "1"}, "k2": {"x": "1"}, "k3": {}}


def test_what_is_required_or_absent_is_never_cleared(bench: Workbench, scope: Scope) -> None:
    run(bench, scope, CUSTOMERS, "external_id,name,email\nk1,One,a@b.example\n")
    absent = run(bench, scope, CUSTOMERS, "external_id,name\nk1,Uno\n", blank="clear")
    blank = run(bench, scope, CUSTOMERS, "external_id,name\nk1,\n", blank="clear")
    assert (counts(absent), errors(bench, blank)) == ((0, 1, 0, 0), [(1, "name", "required")])
    assert (names(bench), column(bench, Customer.email)) == ({"k1": "Uno"}, ["a@b.example"])


@pytest.mark.parametrize(("blank", "stored"), [("keep", ["call", "cheap"]), ("clear", [None, None])])
def test_blank_cells_clear_columns_of_features_and_prices_too(
    bench: Workbench, scope: Scope, blank: str, stored: list[str | None]
) -> None:
    run(bench, scope, FEATURES, "lookup_key,name,type,unit_singular,unit_plural\nk1,One,static,call,calls\n")
    run(bench, scope, FEATURES, "lookup_key,name,type,unit_singular,unit_plural\nk1,One,static,,\n", blank=blank)
    run(bench, scope, PRICES, KEYED[PRICES].file(("k1", "One")))
    run(bench, scope, PRICES, "lookup_key,description\nk1,cheap\n", mode="update")
    run(bench, scope, PRICES, "lookup_key,description\nk1,\n", mode="update", blank=blank)
    assert column(bench, Feature.unit_singular) + column(bench, Price.description) == stored
    assert (column(bench, Feature.type), column(bench, Price.display_name)) == (["static"], ["One"])
