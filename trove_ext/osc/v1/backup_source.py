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

"""The options that say which backup is meant: its instance, and a time."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from trove_ext.exceptions import UsageError
from trove_ext.model.restore_point import parse_moment
from trove_ext.workflows.restore.source import LATEST, LATEST_FULL, Source

if TYPE_CHECKING:
    from datetime import datetime


def add_instance_option(parser: argparse.ArgumentParser) -> None:
    """Add ``--instance``."""
    parser.add_argument(
        "--instance",
        metavar="<instance>",
        help="Use a backup of this instance (name or ID; the ID if it is deleted): the "
        "newest that can be restored, or latest-full for the newest full one",
    )


def add_source_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--instance`` and ``--before``."""
    add_instance_option(parser)
    parser.add_argument(
        "--before",
        metavar="<time>",
        type=_moment,
        help="With --instance: use the newest backup whose data is no newer than this, "
        "such as 2026-11-24T10:00+02:00; a time zone is required",
    )


def source_of(parsed_args: argparse.Namespace, backup: str | None) -> Source:
    """Read which backup is meant.

    :param backup: its name or ID, as typed
    :raises UsageError: nothing names a backup, or a name and a time do
    """
    instance: str | None = parsed_args.instance
    before: datetime | None = getattr(parsed_args, "before", None)
    if backup is None and instance is None:
        raise UsageError("Name the backup, or give --instance.")
    if before is None:
        return Source(backup, instance)
    if instance is None:
        raise UsageError("--before needs --instance: a backup has one time only.")
    if backup not in {None, LATEST, LATEST_FULL}:
        raise UsageError(
            f"Backup {backup!r} is named, so --before has nothing to choose from; give "
            "one of them."
        )
    return Source(backup, instance, before)


def _moment(text: str) -> datetime:
    try:
        return parse_moment(text)
    except ValueError as exc:
        raise argparse.ArgumentTypeError(str(exc)) from exc
