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

"""The options for what a restored instance gets beside the data of its backup."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from trove_ext.osc.hooks.credentials import credentials
from trove_ext.workflows.restore.additions import LOCALITIES, Additions

if TYPE_CHECKING:
    import argparse


def add_additions_options(parser: argparse.ArgumentParser) -> None:
    """Add the options for databases, users, modules and locality.

    They are named as in ``database instance create``.
    """
    group = parser.add_argument_group("beside the data of the backup")
    group.add_argument(
        "--databases",
        metavar="<database>",
        nargs="+",
        default=[],
        help="Databases to create after the restore",
    )
    group.add_argument(
        "--users",
        metavar="<user:password>",
        nargs="+",
        default=[],
        help="Users to create after the restore, with access to --databases only; "
        "other users of this machine can see the passwords: see --credentials-file",
    )
    group.add_argument(
        "--credentials-file",
        metavar="<file>",
        help="File with a line user:password for each user to create, or - for "
        "standard input",
    )
    group.add_argument(
        "--module",
        dest="modules",
        metavar="<module>",
        action="append",
        default=[],
        help="Module to apply, by its name or its ID (repeatable)",
    )
    group.add_argument(
        "--locality",
        choices=LOCALITIES,
        help="Where its future replicas are: on the same host, or on others",
    )


def additions_of(parsed_args: argparse.Namespace, stdin: TextIO | None) -> Additions:
    """Read these options.

    :raises UsageError: a user without a name or password; lists all problems
    """
    pairs = [user.split(":") for user in credentials(parsed_args, stdin)]
    return Additions(
        databases=tuple(parsed_args.databases),
        users=tuple((name, password) for name, password in pairs),
        modules=tuple(parsed_args.modules),
        locality=parsed_args.locality,
    )
