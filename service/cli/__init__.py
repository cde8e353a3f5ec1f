"""The command line: `wharf up` for everything on one machine, and each part for your own servers.

A command's module is imported when the command is run: the parts of a stack start at the same time on
a small machine, and none should load what only another needs.
"""

from importlib import import_module

import click

from service import __version__
from service.errors import WharfError

#: Each command by the module that holds it.
COMMANDS = {
    "up": "service.cli.stack",
    "demo": "service.cli.stack",
    "web": "service.cli.parts",
    "worker": "service.cli.parts",
    "beat": "service.cli.parts",
    "flower": "service.cli.parts",
    "db": "service.cli.database",
    "store": "service.cli.store",
    "keys": "service.cli.keys",
    "secrets": "service.cli.secrets",
}


class WharfGroup(click.Group):
    """The commands above; their expected errors are told in one line, not as a traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of the list."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command; None for a name that is not one."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(COMMANDS[cmd_name]), cmd_name)
        return command

    def invoke(self, ctx: click.Context) -> object:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except WharfError as error:
            raise click.ClickException(error.message) from error


@click.group(cls=WharfGroup)
@click.version_option(__version__, prog_name="wharf")
def main() -> None:
    """Imports files into PostgreSQL and exports tables to S3, as tracked tasks."""
