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
"""Durations and retention policies on the command line."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from trove_ext.exceptions import UsageError
from trove_ext.model.durations import parse_duration, parse_period
from trove_ext.model.retention_policy import Policy

if TYPE_CHECKING:
    from datetime import timedelta

#: Option, unit and help of what restic counts too.
COUNTS = (
    ("last", "the newest <n> backups"),
    ("hourly", "the newest backup of each of the last <n> hours that have a backup"),
    ("daily", "the newest backup of each of the last <n> days that have a backup"),
    ("weekly", "the newest backup of each of the last <n> weeks that have a backup"),
    ("monthly", "the newest backup of each of the last <n> months that have a backup"),
    ("yearly", "the newest backup of each of the last <n> years that have a backup"),
    ("chains", "all backups of the newest <n> chains"),
)


def duration(text: str) -> timedelta:
    """Parse a duration; ``m`` is minutes.

    :raises argparse.ArgumentTypeError: it is none
    """
    try:
        return parse_duration(text)
    except ValueError as exc:
        raise argparse.ArgumentTypeError(str(exc)) from exc


def period(text: str) -> timedelta:
    """Parse a retention period; ``m`` is refused, because restic means months.

    :raises argparse.ArgumentTypeError: it is none
    """
    try:
        return parse_period(text)
    except ValueError as exc:
        raise argparse.ArgumentTypeError(str(exc)) from exc


def add_keep_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of a retention policy, as restic has them."""
    for name, text in COUNTS:
        parser.add_argument(
            f"--keep-{name}",
            metavar="<n>",
            type=int,
            default=0,
            help=f"Keep {text}",
        )
    parser.add_argument(
        "--keep-within",
        metavar="<duration>",
        type=period,
        help="Keep the backups that are at most this much older than the newest one, "
        "such as 14d",
    )
    parser.add_argument(
        "--keep-name",
        metavar="<pattern>",
        action="append",
        default=[],
        help="Keep the backups whose names match, such as 'release-*' (repeatable)",
    )


def policy_of(parsed_args: argparse.Namespace) -> Policy:
    """Return the policy.

    :raises UsageError: it keeps nothing, or has a negative number
    """
    policy = _policy(parsed_args)
    if policy.problems:
        raise UsageError(" ".join(policy.problems))
    return policy


def policy_if_any(parsed_args: argparse.Namespace) -> Policy | None:
    """Return the policy, None if no option of it was given.

    :raises UsageError: it has a negative number, or only names
    """
    return None if _policy(parsed_args) == Policy() else policy_of(parsed_args)


def _policy(parsed_args: argparse.Namespace) -> Policy:
    counts: dict[str, Any] = {
        f"keep_{name}": getattr(parsed_args, f"keep_{name}") for name, _ in COUNTS
    }
    return Policy(
        **counts,
        keep_within=parsed_args.keep_within,
        keep_names=tuple(parsed_args.keep_name),
    )
