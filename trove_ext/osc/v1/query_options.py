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

from typing import TYPE_CHECKING

from trove_ext.exceptions import UsageError
from trove_ext.workflows.restore.contents import Question

if TYPE_CHECKING:
    import argparse


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
