"""What all tables share: one naming convention, and types that mean the same everywhere."""

from datetime import datetime
from typing import Annotated, Any, ClassVar

from sqlalchemy import BigInteger, DateTime, ForeignKey, Integer, MetaData, Text, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, mapped_column

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

#: Keys compare byte by byte: faster than a language's order, and the same on every server.
Key = Text(collation="C")
Instant = DateTime(timezone=True)

IdColumn = Annotated[str, mapped_column(Key, primary_key=True)]
ScopeColumn = Annotated[int, mapped_column(Integer, ForeignKey("scopes.id"))]
CreatedColumn = Annotated[datetime, mapped_column(Instant, server_default=func.now())]


class Base(DeclarativeBase):
    """Every mapped class; its metadata is what the migrations are compared with."""

    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: Text(),
        int: BigInteger(),
        datetime: Instant,
        dict[str, Any]: JSONB(none_as_null=True),
        list[str]: JSONB(none_as_null=True),
    }
