"""Whatever workers load which chunks when, the tables are as if the rows had been applied one by one in file order."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from schemas.vocabulary import EntityType, TaskState
from service.db.models import Customer, Event, Feature, Meter, Price, RowSetAside, Scope
from service.tracking.workbench import Workbench
from tests.integration.imports.fleet import fetch_only, fleet_of, load_together
from tests.integration.imports.lives import counts, run, run_to_end, scope_of, submit_file, with_chunks
from tests.integration.imports.rows_in_order import (
    Model,
    Row,
    apply_customer,
    apply_event,
    apply_feature,
    apply_price,
)

_WORKERS = 3
#: Files of each entity that are made up and loaded.
_CASES = 15
_ROWS_MAX = 20
_KEYS = ["k1", "k2", "k3", "k4"]
_CELLS = st.sampled_from(["", "", "a", "b", "c"])
_SEEDS = st.integers(0, 2**32)
#: A chunk for each row, for a few, for many.
_CHUNK_BYTES = st.sampled_from([1, 100, 300])
_MODES = st.sampled_from(["upsert", "upsert", "insert", "update"])
_BLANKS = st.sampled_from(["keep", "clear"])

_CUSTOMER_NAMES = "external_id,name,address_city,address_state,metadata.x\n"
_FEATURE_NAMES = "lookup_key,name,type,unit_singular,unit_plural,meter_name,event_name,aggregation_type\n"
_PRICE_NAMES = (
    "lookup_key,display_name,amount,description,end_date,type,currency,entity_type,entity_id,billing_model,"
    "billing_period,billing_period_count,invoice_cadence\n"
)
_END = "2099-01-01T00:00:00Z"


def rows_of(*cells: st.SearchStrategy[str]) -> st.SearchStrategy[list[Row]]:
    """Rows of a few keys; the second cell tells them apart, or is blank."""
    row = st.tuples(st.sampled_from(_KEYS), st.sampled_from(["n", "n", "n", ""]), *cells)
    return st.lists(row, min_size=1, max_size=_ROWS_MAX).map(
        lambda rows: [(key, name and f"{name}{place}", *rest) for place, (key, name, *rest) in enumerate(rows)]
    )


def customer_line(row: Row) -> str:
    return ",".join(row)


def feature_line(row: Row) -> str:
    key, name, kind, unit, event = row
    return f"{key},{name},{kind},{unit},{unit and unit + 's'},{event and 'm'},{event},{event and 'COUNT'}"


def price_line(row: Row) -> str:
    return ",".join(row) + ",FIXED,usd,PLAN,p,FLAT_FEE,MONTHLY,1,ADVANCE"


def event_line(row: Row) -> str:
    return ",".join(row) + ",c"


def customers(session: Session, scope: Scope) -> list[dict[str, Any]]:
    rows = session.scalars(select(Customer).where(Customer.scope_id == scope.id))
    return [
        {"key": row.external_id, "name": row.name, "city": row.address_city, "state": row.address_state,
         "x": row.metadata_.get("x")}
        for row in rows
    ]  # fmt: skip


def features(session: Session, scope: Scope) -> list[dict[str, Any]]:
    rows = session.execute(
        select(Feature, Meter.event_name)
        .outerjoin(Meter, Meter.id == Feature.meter_id)
        .where(Feature.scope_id == scope.id)
    ).all()
    meters = session.scalar(select(func.count()).where(Meter.scope_id == scope.id))
    assert meters == sum(row.Feature.meter_id is not None for row in rows)
    return [
        {"key": row.Feature.lookup_key, "name": row.Feature.name, "type": row.Feature.type,
         "unit": row.Feature.unit_singular, "event": row.event_name}
        for row in rows
    ]  # fmt: skip


def prices(session: Session, scope: Scope) -> list[dict[str, Any]]:
    rows = session.scalars(select(Price).where(Price.scope_id == scope.id))
    return [
        {"key": row.lookup_key or "", "name": row.display_name, "amount": str(row.amount),
         "description": row.description, "end": row.end_date and _END}
        for row in rows
    ]  # fmt: skip


def events(session: Session, scope: Scope) -> list[dict[str, Any]]:
    rows = session.scalars(select(Event).where(Event.scope_id == scope.id))
    return [
        {"key": row.event_id, "name": row.event_name} if row.event_id in _KEYS else {"name": row.event_name}
        for row in rows
    ]


_FEATURE_KINDS = st.sampled_from([("boolean", ""), ("metered", "call"), ("metered", "chat")])
_FEATURES = rows_of(_FEATURE_KINDS.map("/".join), _CELLS).map(
    lambda rows: [(key, name, *kind.split("/")[:1], unit, kind.split("/")[1]) for key, name, kind, unit in rows]
)
_PRICES = rows_of(st.sampled_from(["1", "2.5", "abc"]), _CELLS, st.sampled_from(["", "", _END])).map(
    lambda rows: [("" if key == "k4" else key, *rest) for key, *rest in rows]
)
_EVENTS = rows_of().map(lambda rows: [("" if key == "k4" else key, *rest) for key, *rest in rows])

Apply = Callable[[Model, Row], str]
Read = Callable[[Session, Scope], list[dict[str, Any]]]
KINDS: dict[EntityType, tuple[st.SearchStrategy[list[Row]], str, Callable[[Row], str], Apply, Read]] = {
    EntityType.CUSTOMERS: (
        rows_of(_CELLS, _CELLS, _CELLS),
        _CUSTOMER_NAMES,
        customer_line,
        apply_customer,
        customers,
    ),
    EntityType.FEATURES: (_FEATURES, _FEATURE_NAMES, feature_line, apply_feature, features),
    EntityType.PRICES: (_PRICES, _PRICE_NAMES, price_line, apply_price, prices),
    EntityType.EVENTS: (_EVENTS, "event_id,event_name,external_customer_id\n", event_line, apply_event, events),
}


def frozen(rows: Sequence[dict[str, Any]]) -> Counter[frozenset[tuple[str, Any]]]:
    """Rows as values that can be compared whatever their order."""
    return Counter(frozenset(row.items()) for row in rows)


@pytest.mark.parametrize("entity", KINDS)
def test_the_tables_and_the_counters_are_those_of_rows_applied_one_by_one_in_file_order(
    bench: Workbench, entity: EntityType, record_property: Callable[[str, object], None]
) -> None:
    rows, header, line, apply, read = KINDS[entity]
    modes = st.just("insert") if entity is EntityType.EVENTS else _MODES

    @settings(max_examples=_CASES)
    @given(before=rows, after=rows, mode=modes, blank=_BLANKS, chunk_bytes=_CHUNK_BYTES, seed=_SEEDS)
    def holds(before: list[Row], after: list[Row], mode: str, blank: str, chunk_bytes: int, seed: int) -> None:
        scope = scope_of(bench, uuid4().hex)
        model = Model("insert" if mode == "insert" else "upsert", blank)
        model.apply(before, apply)
        run(bench, scope, entity, header + "".join(line(row) + "\n" for row in before), mode=model.mode, blank=blank)
        model.mode = mode
        model.apply(after, apply)
        small = with_chunks(bench, chunk_bytes)
        content = header + "\n" + "".join(line(row) + "\n" for row in after)
        task = submit_file(small, scope, entity, content, mode=mode, blank=blank)
        fetch_only(small, task)
        load_together(workers, task, seed)
        task = run_to_end(bench, task)
        with bench.sessions() as session:
            found = read(session, scope)
            assert session.scalars(select(RowSetAside)).all() == []
        kept = [{"key": key, **values} for key, values in model.stored.items()]
        assert (task.state, counts(task)) == (TaskState.COMPLETED, model.counts)
        assert frozen(found) == frozen([*kept, *model.ended])

    with fleet_of(bench, _WORKERS) as workers:
        holds()
    record_property("summary", f"file order, {entity}: {_CASES} files, {_WORKERS} workers, up to {_ROWS_MAX} rows each")
