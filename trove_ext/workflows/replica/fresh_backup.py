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

"""A full backup before new replicas, if the engine needs it.

Trove builds a replica from the newest COMPLETED backup of its source and a temporary
incremental on it (``trove/taskmanager/models.py``,
``get_replication_master_snapshot``).
On PostgreSQL that incremental has only what was written since the last backup of any
kind, such as the temporary one of another replica: the new replica is HEALTHY, lacks
rows, and may never replicate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trove_ext.follow_up import Action, Verb, to
from trove_ext.trove import conditions, read, wait_report
from trove_ext.workflows.backup import create

if TYPE_CHECKING:
    from trove_ext.model.backup import Backup
    from trove_ext.model.instance import Instance
    from trove_ext.polling import Deadline
    from trove_ext.trove.client import Cloud


def base(cloud: Cloud, source: Instance) -> Backup | None:
    """Return the backup that Trove would build a replica on, if it may be unfit.

    None if there is none, since then the temporary backup is a full one, or if the
    engine builds an incremental on any backup.
    """
    if cloud.engines.of(source.datastore).any_parent:
        return None
    found = read.list_backups(cloud, instance_id=source.id)
    return next((backup for backup in found if backup.is_completed), None)


def take(cloud: Cloud, source: Instance, deadline: Deadline) -> Backup:
    """Take a full backup, and wait until it is COMPLETED.

    :raises TroveExtError: it can't be taken, or failed
    """
    stamp = cloud.clock.now().strftime("%Y%m%d%H%M%S")
    request = create.CreateRequest(source.id, f"{source.name}-for-replica-{stamp}")
    backup = create.create(cloud, request)
    cloud.progress.note(
        f"{backup} is taken first: on an older backup a replica can lack rows, without "
        "an error.",
        to(
            "delete it once the replica is in use",
            Action(Verb.DELETE_BACKUP, (backup.id,)),
        ),
    )
    targets = [
        conditions.backup_completed(cloud, backup),
        conditions.settled(cloud, source, patience=None),
    ]
    wait_report.raise_for(cloud.wait(targets, deadline))
    return read.get_backup(cloud, backup.id)


def prepare(
    cloud: Cloud, source: Instance, deadline: Deadline, *, take_one: bool = True
) -> None:
    """Warn of what new replicas do, and take the backup that they need.

    :param take_one: take a backup if it is needed; else warn
    :raises TroveExtError: it can't be taken, or failed; no replica was requested
    """
    built_on = base(cloud, source)
    warn(cloud, source, built_on)
    if built_on is None:
        return
    if take_one:
        take(cloud, source, deadline)
        return
    cloud.progress.warn(
        f"Trove builds the new replica on {built_on}. If any backup or replica was "
        "made since, also one that is deleted, it will lack rows: probe it."
    )


def warn(cloud: Cloud, source: Instance, built_on: Backup | None) -> None:
    """Say what new replicas do to their source, and what they can't do.

    :param built_on: the backup that Trove builds them on, None for none
    """
    engine = cloud.engines.of(source.datastore)
    if engine.replica_restarts_source:
        cloud.progress.warn(
            f"With {engine.title} this restarts {source} and closes its connections."
        )
    if not engine.any_parent:
        cloud.progress.note(f"The next backup of {source} has to be a full one.")
    if built_on and not source.replicas and not engine.first_replica_promotes:
        cloud.progress.warn(
            f"If {source} never had a replica before, the first one can't be promoted: "
            f"it is built on {built_on}, which does not have the password that Trove "
            "makes for replicas. One that is created after it, on a new full backup, "
            "can be promoted."
        )
