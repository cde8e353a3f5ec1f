"""Brings the tables to the version of the code."""

from importlib.resources import files

from alembic import command
from alembic.config import Config

from service.db.session import engine_url


def migration_config(database_url: str) -> Config:
    """Alembic's configuration: the migrations that are installed with this package, and the database."""
    config = Config()
    config.set_main_option("script_location", str(files("service.db") / "migrations"))
    # ConfigParser reads % as the start of a reference.
    config.set_main_option(
        "sqlalchemy.url",
        engine_url(database_url).render_as_string(hide_password=False).replace("%", "%%"),
    )
    return config


def upgrade(database_url: str) -> None:
    """Run the migrations that have not run; safe to call again, and beside another caller."""
    command.upgrade(migration_config(database_url), "head")
