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

"""The options of queries in a restored instance."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from trove_ext.exceptions import UsageError
from trove_ext.model.retention_policy import PERIODS
from trove_ext.osc.v1.new_instance import nic
from trove_ext.workflows.restore.contents import Question
from trove_ext.workflows.restore.rotation_check import RotationCheck, check_of
from trove_ext.workflows.restore.settings import RestoreOptions

if TYPE_CHECKING:
    import argparse

    from trove_ext.model.policy_file import PolicyFile
    from trove_ext.workflows.backup.rotate_policy import CheckOf


def add_query_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--query``, ``--expect`` and ``--query-database``."""
    parser.add_argument(
        "--query",
        dest="queries",
        metavar="<sql>",
        action="append",
        default=[],
        help="Run this statement, such as SELECT count(*) FROM db.table, and compare "
        "the one value that it returns with that of --expect (repeatable; needs "
        "the extra sql and a route to the instance)",
    )
    parser.add_argument(
        "--expect",
        dest="values",
        metavar="<value>",
        action="append",
        default=[],
        help="Value that --query must return; give one for each --query, in the same "
        "order",
    )
    parser.add_argument(
        "--query-database",
        metavar="<name>",
        help="Database to connect to for --query (default: the only one on PostgreSQL, "
        "none on MySQL and MariaDB)",
    )


def questions(parsed_args: argparse.Namespace) -> tuple[Question, ...]:
    """Pair the queries with the expected values.

    :raises UsageError: there are more of one than of the other
    """
    if len(parsed_args.queries) != len(parsed_args.values):
        raise UsageError(
            f"Each --query needs its --expect: {len(parsed_args.queries)} and "
            f"{len(parsed_args.values)} were given."
        )
    pairs = zip(parsed_args.queries, parsed_args.values, strict=True)
    return tuple(Question(statement, value) for statement, value in pairs)


def add_verify_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that verify backups."""
    parser.add_argument(
        # Not --verify, which is an option of openstack itself.
        "--verify-each",
        metavar="<period>",
        choices=tuple(PERIODS),
        help='Verify the first backup of this rotation in each period, as "database '
        'backup verify" does, before anything is pruned: '
        f"{', '.join(PERIODS)} (periods of UTC, as for --keep-weekly)",
    )
    add_query_options(parser)
    parser.add_argument(
        "--nic",
        metavar="<nic>",
        type=nic,
        help="Network of the temporary instance of --verify-each, or of verify_every "
        'in the file of --policy, as for "database backup verify" (default: that of '
        "the instance)",
    )


def rotation_check(parsed_args: argparse.Namespace) -> RotationCheck | None:
    """Return what to verify.

    :raises UsageError: queries are given without --verify-each
    """
    asked = questions(parsed_args)
    if parsed_args.verify_each is None:
        if asked or parsed_args.query_database or parsed_args.nic:
            raise UsageError("--query, --query-database and --nic need --verify-each.")
        return None
    return RotationCheck(
        parsed_args.verify_each,
        parsed_args.name,
        asked,
        parsed_args.query_database,
        RestoreOptions(nic=parsed_args.nic),
    )


def policy_checks(parsed_args: argparse.Namespace, policy: PolicyFile) -> CheckOf:
    """Return what verifies the backups of a rule of a policy file.

    :raises UsageError: no rule wants it, and an option for it is given
    """
    if parsed_args.nic is not None and not policy.verifies:
        raise UsageError(f"--nic needs verify_every in a rule of {policy.name}.")
    return partial(check_of, options=RestoreOptions(nic=parsed_args.nic))
