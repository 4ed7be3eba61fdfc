"""A group of commands to which other rooms add theirs."""

from importlib.metadata import entry_points

import click


class OpenGroup(click.Group):
    """Ours, and those that the rooms above bring through `affetti.models.commands`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all."""
        found = entry_points(group="affetti.models.commands").names
        return sorted({*super().list_commands(ctx), *found})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return one, imported when it is asked for."""
        for point in entry_points(group="affetti.models.commands", name=cmd_name):
            command = point.load()
            return command if isinstance(command, click.Command) else None
        return super().get_command(ctx, cmd_name)
