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

"""Options of the commands that take all instances of a project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trove_ext.exceptions import UsageError
from trove_ext.model.selection import Selection

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence


def add_selection_options(parser: argparse.ArgumentParser, verb: str) -> None:
    """Add ``--all`` and what narrows it down.

    :param verb: what the command does with them: "Check"
    """
    group = parser.add_argument_group("all instances of the project")
    group.add_argument(
        "--all",
        action="store_true",
        help=f"{verb} all instances of the project, each replica set as one. Members "
        "of clusters, and instances that are being built or deleted, are left out",
    )
    group.add_argument(
        "--exclude",
        metavar="<pattern>",
        action="append",
        default=[],
        help="Leave out instances whose name matches, such as 'test-*', and replica "
        "sets whose source's name does; with --all (repeatable)",
    )
    group.add_argument(
        "--datastore",
        metavar="<name>",
        help="Only instances of this datastore, such as mysql; with --all",
    )


def selection_of(
    parsed_args: argparse.Namespace,
    named: Sequence[str],
    *,
    each_member: bool = False,
    what: str = "instances",
) -> Selection | None:
    """Read which instances are wanted; None if they are named.

    :param named: what the command line names
    :param each_member: whether the members of a replica set are wanted by themselves
    :param what: what it could name, for messages
    :raises UsageError: both are given, or neither, or what only --all can have
    """
    if bool(named) == parsed_args.all:
        raise UsageError(f"Name {what}, or give --all, and not both.")
    if parsed_args.all:
        exclude = tuple(parsed_args.exclude)
        return Selection(exclude, parsed_args.datastore, each_member)
    refuse_without_all(parsed_args, each_member=each_member)
    return None


def refuse_without_all(
    parsed_args: argparse.Namespace, *, each_member: bool = False
) -> None:
    """Refuse what narrows down --all if that is not given.

    :raises UsageError: it is not, and one of these is
    """
    given = {
        "--exclude": parsed_args.exclude,
        "--datastore": parsed_args.datastore,
        "--each-member": each_member,
    }
    alone = [option for option, value in given.items() if value]
    if alone:
        raise UsageError(f"{', '.join(alone)}: only with --all; give it too.")
