"""The database for a command: one transaction, and words for what may be wrong with it."""

from collections.abc import Iterator
from contextlib import contextmanager

from psycopg import errors as postgresql
from sqlalchemy.exc import OperationalError, ProgrammingError
from sqlalchemy.orm import Session

from service.config import Settings
from service.db.session import make_engine, make_sessions
from service.errors import ConfigurationError


@contextmanager
def transaction() -> Iterator[Session]:
    """One transaction of the database that the settings name, committed at the end.

    Raises ConfigurationError when there is no such database, or it lacks the tables of this version.
    """
    engine = make_engine(Settings.from_environment().database_url, "wharf-cli")
    try:
        with make_sessions(engine).begin() as session:
            yield session
    except OperationalError as error:
        message = "PostgreSQL does not let us in; check WHARF_DATABASE_URL, and that the server runs"
        raise ConfigurationError(message) from error
    except ProgrammingError as error:
        if not isinstance(error.orig, postgresql.UndefinedTable | postgresql.UndefinedColumn):
            raise
        message = "The tables are missing or of another version; run: wharf db upgrade"
        raise ConfigurationError(message) from error
    finally:
        engine.dispose()
