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

"""Which backups are verified by a policy file.

Nothing is stored between two runs: of an instance whose newest good backup of the
rotation is the first of its period, that one is verified, whoever has done so before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trove_ext.workflows.backup.schedule import announce, schedule
from trove_ext.workflows.restore.verify_all import Newest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trove_ext.model.backup_due import Due
    from trove_ext.model.policy_file import PolicyFile, Verification
    from trove_ext.trove.client import Cloud


@dataclass(frozen=True, slots=True)
class DueVerifications:
    """What is verified now, and what later.

    :ivar now: the backup of each instance whose verification is due; one without a good
        backup is among them
    :ivar later: IDs of the instances whose newest backup is not verified
    """

    now: Sequence[Newest]
    later: frozenset[str] = frozenset()


def due_verifications(cloud: Cloud, policy: PolicyFile) -> DueVerifications:
    """Find the backups that are verified now, a replica set as one instance.

    Costs a request for each 20 instances, and one for the backups of the project.

    :raises NotFoundError: the project has no instance
    """
    found = schedule(cloud, policy)
    announce(cloud, policy, found)
    now: list[Newest] = []
    later: list[str] = []
    for due in found.dues:
        settings = due.rule.settings if due.rule else None
        wanted = settings.verification if settings else None
        if wanted is None:
            continue
        if due.last is None or due.verifies_last:
            now.append(_newest(due, wanted))
        else:
            later.append(due.group.head.id)
            cloud.progress.note(_not_due(due, wanted))
    return DueVerifications(now, frozenset(later))


def _newest(due: Due, wanted: Verification) -> Newest:
    head = due.group.head
    problem = "" if due.last else "there is no restorable backup of the rotation"
    return Newest(head.id, head.name, head.datastore, due.last, problem, wanted)


def _not_due(due: Due, wanted: Verification) -> str:
    """Name the backup that was due, so that one that was never verified is seen."""
    return (
        f"{due.group.head} is left out: {due.last} is not its first backup of the "
        f"{wanted.period}, which is {due.first}; the next one to verify is due at "
        f"{due.verify_at:%Y-%m-%d %H:%M:%S} UTC"
    )
