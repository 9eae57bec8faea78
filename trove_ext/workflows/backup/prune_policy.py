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

"""Retention by a policy file: the rotation of each instance, by its rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trove_ext.model.retention import Rotation
from trove_ext.workflows.backup import prune
from trove_ext.workflows.backup.schedule import announce, schedule

if TYPE_CHECKING:
    from collections.abc import Iterable

    from trove_ext.model.backup_due import Due
    from trove_ext.model.policy_file import PolicyFile
    from trove_ext.trove.client import Cloud
    from trove_ext.workflows.backup.prune import PrunePlan
    from trove_ext.workflows.backup.schedule import Schedule


def plan_policy(cloud: Cloud, policy: PolicyFile) -> list[PrunePlan]:
    """Plan for each instance whose rule says what to keep, each replica set as one.

    :raises NotFoundError: the project has no instance
    """
    found = schedule(cloud, policy)
    announce(cloud, policy, found)
    return list(plans(cloud, found, found.dues).values())


def plans(cloud: Cloud, found: Schedule, dues: Iterable[Due]) -> dict[str, PrunePlan]:
    """Return the plan for each of these, by the ID of the head of its set.

    It is about the backups of the rotation alone, those of all members together.
    """
    made = {}
    for due in dues:
        settings = due.rule.settings if due.rule else None
        if settings is not None and settings.keep is not None:
            members = {member.id: member.name for member in due.group.members}
            rotation = Rotation(members, settings.pattern)
            made[due.group.head.id] = prune.plan_rotation(
                cloud, rotation, settings.keep, list(found.forest)
            )
    return made
