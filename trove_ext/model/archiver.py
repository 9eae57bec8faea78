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

"""Backups that fail or hang because PostgreSQL does not archive its WAL.

A full backup ends when its history file is in the archive; Trove's driver ``postgres``
waits a minute for it. An incremental waits for the archive without a limit
(``pg_backup_stop(true)``). No status shows that the archiver fails, which it does for
ever after two promotes back and forth: ``archive_command`` refuses files that it has
archived before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trove_ext.model.backup import Backup
    from trove_ext.model.engine import Engine

#: Trove's text (``check_process`` in the driver ``postgres`` of its backup image).
NO_METADATA = "Failed to get backup metadata"
#: Seconds after which an incremental in progress is suspicious: it holds little data.
SUSPICIOUS_AFTER = 300.0
WAY_OUT = (
    "Attach a configuration group whose archive_command overwrites, and restart the "
    "instance, or replace it by a new replica; then take a full backup. Each "
    "incremental has to wait for that"
)


def explain(reason: str) -> str:
    """Add to the reason of a failure what it means; others are returned unchanged.

    >>> explain("disk full")
    'disk full'
    """
    if NO_METADATA not in reason:
        return reason
    return (
        f"{reason.rstrip('.')}. PostgreSQL did not archive the WAL of this backup: its "
        "archiver is stuck, or the instance is a replica that was a source before. "
        f"{WAY_OUT}."
    )


def describe_hanging(backup: Backup, engine: Engine) -> str:
    """Describe what an incremental that does not end waits for; empty if unknown."""
    if engine.any_parent or not backup.parent_id or backup.is_volume_snapshot:
        return ""
    return (
        f"An incremental of {engine.title} that does not end waits for an archiver "
        f"that is stuck. {WAY_OUT}"
    )
