# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""A run of a hooked stock command."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from trove_ext.exceptions import (
    CheckError,
    TroveExtError,
)
from trove_ext.follow_up import Action, Verb, to
from trove_ext.model.backup import Backup
from trove_ext.model.instance import Instance
from trove_ext.osc.base import masking, run
from trove_ext.osc.base.escape import escape
from trove_ext.osc.hooks import upstream
from trove_ext.trove import find, send, wait_report

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from cliff.command import Command

    from trove_ext.polling import Deadline, Target
    from trove_ext.trove.client import Cloud

T = TypeVar("T", Instance, Backup)


class HookedCommand:
    """Finds names on every page; with an option that waits it replaces the action."""

    def __init__(self, command: Command) -> None:
        self.command: Any = command
        self.action: Callable[[argparse.Namespace], Any] = command.take_action
        self._run = run.Run(command.app)

    @property
    def cloud(self) -> Cloud:
        """The cloud that the user has logged in to."""
        return self._run.cloud

    @property
    def client(self) -> Any:
        """Troveclient's client."""
        return self.cloud.client

    def run(
        self,
        stock: Callable[[argparse.Namespace], int],
        parsed_args: argparse.Namespace,
    ) -> int:
        """Wrap the whole run: readable errors, and signals if it waits."""
        for given in getattr(parsed_args, "users", ()):
            masking.hide_credential(given)
        if getattr(parsed_args, "formatter", None) == "table":
            self._escape_table()
        ours = self.takes_over(parsed_args)
        return self._run.execute(
            partial(stock, parsed_args),
            timeout=parsed_args.timeout if ours else 0.0,
            ours=ours,
        )

    def _escape_table(self) -> None:
        """Escape control characters in the table."""
        upstream.replace_method(
            self.command,
            "produce_output",
            lambda produce, parsed_args, names, values: produce(
                parsed_args, names, [safe_cell(value) for value in values]
            ),
        )

    def takes_over(self, parsed_args: argparse.Namespace) -> bool:
        """Whether an option of the plugin was given that changes the action."""
        return bool(getattr(parsed_args, "wait", False) or backs_up_first(parsed_args))

    def before(self, parsed_args: argparse.Namespace) -> None:
        """Prepare the arguments for the stock action."""
        taken = self.takes_over(parsed_args)
        self.resolve(parsed_args)
        if taken:
            self.replace_action(self.take_action)

    def replace_action(self, action: Callable[[argparse.Namespace], Any]) -> None:
        """Make cliff call this instead of the stock action."""
        upstream.replace_method(
            self.command, "take_action", lambda _stock, parsed_args: action(parsed_args)
        )

    def resolve(self, parsed_args: argparse.Namespace) -> None:
        """Replace names by IDs."""

    def take_action(self, parsed_args: argparse.Namespace) -> Any:
        """Do what the stock command does; with an option of ours, more."""
        return self.action(parsed_args)

    def fail(self, error: TroveExtError | None) -> None:
        """End the command with this error after its result was printed."""
        self._run.fail(error)

    def instance_id(self, name_or_id: str) -> str:
        """Return the ID of an instance; a text in the form of an ID is passed on.

        The stock command reads it anyway, and an admin may name an instance that is in
        no list of the project.
        """
        return find.instances(self.cloud).id_of(name_or_id)

    def backup_id(self, name_or_id: str) -> str:
        """Return the ID of a backup; a text in the form of an ID is passed on."""
        return find.backups(self.cloud).id_of(name_or_id)


def backs_up_first(parsed_args: argparse.Namespace) -> bool:
    """Whether ``--backup-first`` was given, to a command that has it."""
    return bool(getattr(parsed_args, "backup_first", False))


def columns(info: dict[str, Any]) -> tuple[tuple[str, ...], tuple[Any, ...]]:
    """Format a resource as the stock client does."""
    names = tuple(sorted(info))
    return names, tuple(info[name] for name in names)


def safe_cell(value: Any) -> Any:
    """Escape the control characters of a text, or of each text in a row."""
    if isinstance(value, str):
        return escape(value)
    if isinstance(value, (list, tuple)):
        return type(value)(safe_cell(item) for item in value)
    return value


def shown_id(shown: Any) -> str:
    """Return the ID in the result of a stock ShowOne."""
    names, values = shown
    return str(dict(zip(names, values, strict=True))["id"])


def none_found(problems: Sequence[TroveExtError]) -> TroveExtError:
    """Combine the errors of several names that are unknown or ambiguous."""
    if len(problems) == 1:
        return problems[0]
    return CheckError("Not all can be found", problems)


def delete_each(
    stock: HookedCommand,
    kind: str,
    things: Sequence[T],
    *,
    delete: Callable[[str], object],
    target: Callable[[Cloud, T], Target] | None,
    deadline: Deadline,
    not_found: Sequence[TroveExtError] = (),
) -> None:
    """Delete several, and wait for all that Trove accepted.

    :param kind: as the stock client calls it: "database backup"
    :param target: the condition to wait for; None not to wait
    :param deadline: of all together
    :param not_found: the errors of those that could not be found
    """
    cloud = stock.cloud
    sent = 0
    accepted: list[Target] = []
    refused = list(not_found)
    for thing in things:
        try:
            send.delete(
                cloud, f"delete of {kind} {thing}", thing, partial(delete, thing.id)
            )
        except TroveExtError as exc:
            refused.append(exc)
            continue
        stdout = stock.command.app.stdout
        stdout.write(f"Request to delete {kind} {thing.id} has been accepted.\n")
        stdout.flush()
        sent += 1
        accepted += [target(cloud, thing)] if target else []
    waited = cloud.wait(accepted, deadline) if accepted else []
    error = wait_report.error_of(waited)
    stock.fail(deleted(error, refused, sent, Verb.LIST_INSTANCES))


def deleted(
    error: TroveExtError | None,
    refused: Sequence[TroveExtError],
    accepted: int,
    shown_by: Verb,
) -> TroveExtError | None:
    """Combine the errors of several deletes, None if there are none.

    :param error: of those that were accepted
    :param refused: the errors of the others, which were not deleted
    :param accepted: how many were accepted
    :param shown_by: the action that shows which are left
    """
    if not refused:
        return error
    total = len(refused) + accepted
    return wait_report.joined(
        [*refused, *([error] if error else [])],
        f"{len(refused)} of {total} were not deleted."
        if total > 1
        else "It was not deleted.",
        [to("see which are left", Action(shown_by))],
    )
