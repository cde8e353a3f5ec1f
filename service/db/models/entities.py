"""The things that imports write and exports read; keys and widths are argued in docs/adr/0002.

Every row carries the task that wrote it (`import_id`, the task's serial) and its row number there, so
that which of two rows came later in a file is always known. `scope_id` names a row of `scopes`; there
is no foreign key, whose check of every imported row would buy nothing: scopes are never deleted.
"""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from sqlalchemy import (
    ForeignKey,
    Index,
    Integer,
    Numeric,
    PrimaryKeyConstraint,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from service.db.models.base import Base, CreatedColumn, IdColumn, Key

ScopeColumn = Annotated[int, mapped_column(Integer)]
KeyColumn = Annotated[str, mapped_column(Key)]
AmountColumn = Annotated[Decimal | None, mapped_column(Numeric)]
JsonColumn = Annotated[dict[str, Any], mapped_column(JSONB, server_default=text("'{}'"))]
TiersColumn = Annotated[list[dict[str, Any]] | None, mapped_column(JSONB(none_as_null=True))]


class Customer(Base):
    """Who is billed; `external_id` is the caller's name for it."""

    __tablename__ = "customers"
    __table_args__ = (
        PrimaryKeyConstraint("scope_id", "external_id"),
        UniqueConstraint("id"),
    )

    created_at: Mapped[CreatedColumn]
    updated_at: Mapped[CreatedColumn]
    import_id: Mapped[int]
    import_row: Mapped[int]
    scope_id: Mapped[ScopeColumn]
    external_id: Mapped[KeyColumn]
    id: Mapped[KeyColumn]
    name: Mapped[str]
    email: Mapped[str | None]
    address_line1: Mapped[str | None]
    address_line2: Mapped[str | None]
    address_city: Mapped[str | None]
    address_state: Mapped[str | None]
    address_postal_code: Mapped[str | None]
    address_country: Mapped[str | None]
    metadata_: Mapped[JsonColumn] = mapped_column("metadata")


class Meter(Base):
    """How a metered feature turns events into a quantity; made with its feature."""

    __tablename__ = "meters"

    id: Mapped[IdColumn]
    created_at: Mapped[CreatedColumn]
    updated_at: Mapped[CreatedColumn]
    scope_id: Mapped[ScopeColumn]
    name: Mapped[str]
    event_name: Mapped[str]
    aggregation_type: Mapped[str]
    aggregation_field: Mapped[str | None]
    aggregation_multiplier: Mapped[AmountColumn]
    aggregation_bucket_size: Mapped[str | None]
    reset_usage: Mapped[str]


class Feature(Base):
    """What a customer may use; `lookup_key` is the caller's name for it."""

    __tablename__ = "features"
    __table_args__ = (UniqueConstraint("scope_id", "lookup_key"),)

    id: Mapped[IdColumn]
    created_at: Mapped[CreatedColumn]
    updated_at: Mapped[CreatedColumn]
    import_id: Mapped[int]
    import_row: Mapped[int]
    scope_id: Mapped[ScopeColumn]
    lookup_key: Mapped[KeyColumn]
    name: Mapped[str]
    type: Mapped[str]
    unit_singular: Mapped[str | None]
    unit_plural: Mapped[str | None]
    # Deferred: a feature and its meter are made by two statements of one transaction.
    meter_id: Mapped[str | None] = mapped_column(Key, ForeignKey("meters.id", deferrable=True, initially="DEFERRED"))
    metadata_: Mapped[JsonColumn] = mapped_column("metadata")


class Price(Base):
    """What a plan, addon or subscription charges."""

    __tablename__ = "prices"
    __table_args__ = (
        # Prices need no natural key; this makes a doubled load an error all the same.
        UniqueConstraint("import_id", "import_row"),
        Index(
            "uq_prices_scope_id_lookup_key",
            "scope_id",
            "lookup_key",
            unique=True,
            postgresql_where=text("lookup_key IS NOT NULL AND end_date IS NULL"),
        ),
    )

    id: Mapped[IdColumn]
    created_at: Mapped[CreatedColumn]
    updated_at: Mapped[CreatedColumn]
    import_id: Mapped[int]
    import_row: Mapped[int]
    scope_id: Mapped[ScopeColumn]
    lookup_key: Mapped[str | None] = mapped_column(Key)
    display_name: Mapped[str | None]
    description: Mapped[str | None]
    entity_type: Mapped[str]
    entity_id: Mapped[KeyColumn]
    meter_id: Mapped[str | None] = mapped_column(Key, ForeignKey("meters.id"))
    type: Mapped[str]
    price_unit_type: Mapped[str]
    currency: Mapped[str]
    billing_model: Mapped[str]
    billing_period: Mapped[str]
    billing_period_count: Mapped[int] = mapped_column(Integer)
    invoice_cadence: Mapped[str]
    amount: Mapped[AmountColumn]
    tier_mode: Mapped[str | None]
    tiers: Mapped[TiersColumn]
    transform_quantity_divide_by: Mapped[int | None]
    transform_quantity_round: Mapped[str | None]
    price_unit_config_price_unit: Mapped[str | None]
    price_unit_config_amount: Mapped[AmountColumn]
    price_unit_config_tiers: Mapped[TiersColumn]
    start_date: Mapped[datetime]
    end_date: Mapped[datetime | None]
    min_quantity: Mapped[int | None]
    trial_period_days: Mapped[int | None]
    group_id: Mapped[str | None]
    metadata_: Mapped[JsonColumn] = mapped_column("metadata")


class Event(Base):
    """One thing that a customer did, counted by meters."""

    __tablename__ = "events"
    __table_args__ = (
        PrimaryKeyConstraint("scope_id", "event_id"),
        # Nearly free to keep, and enough to find a time window in events that arrive in time's order.
        Index(
            "ix_events_timestamp",
            "timestamp",
            postgresql_using="brin",
            postgresql_with={"pages_per_range": 32, "autosummarize": "on"},
        ),
    )

    timestamp: Mapped[datetime]
    ingested_at: Mapped[CreatedColumn]
    import_id: Mapped[int]
    import_row: Mapped[int]
    scope_id: Mapped[ScopeColumn]
    event_id: Mapped[KeyColumn]
    event_name: Mapped[str]
    external_customer_id: Mapped[str]
    customer_id: Mapped[str | None]
    source: Mapped[str | None]
    properties: Mapped[JsonColumn]
