"""How a session is opened: one engine for each process, made after the fork."""

from sqlalchemy import URL, Engine, create_engine, make_url
from sqlalchemy.orm import Session, sessionmaker

Sessions = sessionmaker[Session]

_SESSION_OPTIONS = (
    # A worker frozen between its fence and its commit must not hold a row lock for ever.
    "-c idle_in_transaction_session_timeout=30s "
    # A lock that is not had soon is better tried again than waited for.
    "-c lock_timeout=10s "
    "-c timezone=UTC"
)


def engine_url(database_url: str) -> URL:
    """The same address with the driver that we use."""
    return make_url(database_url).set(drivername="postgresql+psycopg")


def make_engine(database_url: str, application_name: str) -> Engine:
    """An engine whose sessions have time limits; call it after fork, never at import."""
    return create_engine(
        engine_url(database_url),
        # A server restarted between two requests costs a reconnection, not an error.
        pool_pre_ping=True,
        # The text of an error must not quote a row.
        hide_parameters=True,
        pool_size=10,
        max_overflow=10,
        connect_args={
            "application_name": application_name,
            "connect_timeout": 5,
            # A server that is gone without a word is given up after half a minute.
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 4,
            "tcp_user_timeout": 30_000,
            # Exports are UTF-8, whatever the database is.
            "client_encoding": "utf8",
            "options": _SESSION_OPTIONS,
            # PgBouncer in transaction mode keeps no prepared statements.
            "prepare_threshold": None,
        },
    )


def make_sessions(engine: Engine) -> Sessions:
    """A factory of sessions; `with sessions.begin() as session:` is one transaction."""
    return sessionmaker(engine, expire_on_commit=False)
