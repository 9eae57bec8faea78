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

"""Whether a PostgreSQL replica has what Trove needs to promote it.

Trove keeps the password of the user ``replicator`` in a file of the data directory. It
is made when a source gets its first replica. That replica is built from a full backup:
if that one is older, the replica gets the user by replication, but not the file, and
its promote fails (``T:guestagent/strategies/replication/postgresql.py``,
``_get_or_create_replication_user``, which passes an object to ``delete_user``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from trove_ext.model.backup import Backup
    from trove_ext.model.instance import Instance


def old_base(
    target: Instance, members: Sequence[Instance], backups: Iterable[Backup]
) -> Backup | None:
    """Return the full backup that a replica was built on, if it is too old.

    It is too old unless a replica of this set is older than the backup. A deleted
    backup or replica can't be seen, so this is a suspicion, and None is no proof.

    :param backups: those of the members, at least
    """
    known = {backup.id: backup for backup in backups}
    if any(each.instance_id == target.id for each in known.values()):
        # It was a source before: then it has made the file itself.
        return None
    base = _newest_before(target, known.values())
    while base is not None and base.parent_id is not None:
        base = known.get(base.parent_id)
    if base is None:
        return None
    has_file = any(
        _is_before(member, base) and member.id != base.instance_id
        for member in members
        if member.id != target.id
    )
    return None if has_file else base


def _newest_before(target: Instance, backups: Iterable[Backup]) -> Backup | None:
    """Return the backup that Trove chose: the one that was changed last."""
    if target.created is None:
        return None
    before = [
        (backup.updated, backup)
        for backup in backups
        if backup.is_completed and backup.updated and backup.updated < target.created
    ]
    return max(before, key=lambda pair: pair[0], default=(None, None))[1]


def _is_before(member: Instance, base: Backup) -> bool:
    return bool(member.created and base.created and member.created < base.created)
