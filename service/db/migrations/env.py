"""What Alembic runs: the migrations in one transaction, one caller at a time."""

from alembic import context
from sqlalchemy import create_engine, pool, text

from service.db.models import Base

#: Any number that nothing else in the database locks.
_LOCK = 0x77686172

engine = create_engine(context.config.get_main_option("sqlalchemy.url") or "", poolclass=pool.NullPool)
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=Base.metadata)
    with context.begin_transaction():
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        context.run_migrations()
