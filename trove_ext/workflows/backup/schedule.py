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

"""What a policy file wants for each instance of the project now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trove_ext.exceptions import NotFoundError
from trove_ext.model.backup_due import State, due
from trove_ext.model.backup_forest import BackupForest
from trove_ext.model.selection import Selection, nothing_selected, select
from trove_ext.trove import read

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trove_ext.model.backup_due import Due
    from trove_ext.model.policy_file import PolicyFile
    from trove_ext.model.selection import LeftOut
    from trove_ext.trove.client import Cloud

EVERYTHING = Selection()


@dataclass(frozen=True, slots=True)
class Schedule:
    """All instances of a project, each replica set once.

    :ivar forest: the backups of the project
    :ivar left_out: instances that can't be backed up at present, and why
    """

    dues: Sequence[Due]
    forest: BackupForest
    left_out: Sequence[LeftOut] = ()


def schedule(cloud: Cloud, policy: PolicyFile) -> Schedule:
    """Read the project once, and apply the rules to it.

    A replica set has the rule of its source. Costs a request for each 20 instances, and
    one for the backups.

    :raises NotFoundError: there is no instance: a job for the wrong project should not
        end well
    """
    instances = read.list_instances(cloud, clustered=True)
    groups, left_out = select(instances, EVERYTHING)
    if not groups:
        raise NotFoundError(nothing_selected("back up", instances, left_out))
    forest = BackupForest.of(read.list_backups(cloud), cloud.engines.look)
    now = cloud.clock.now()
    dues = [due(forest, group, policy.rule_for(group.head), now) for group in groups]
    return Schedule(dues, forest, left_out)


def announce(cloud: Cloud, policy: PolicyFile, found: Schedule) -> None:
    """Report the instances that nothing is done for, and why."""
    for left in found.left_out:
        cloud.progress.note(str(left))
    unknown = [due.group.head for due in found.dues if due.state is State.NO_RULE]
    if unknown:
        names = ", ".join(map(str, unknown))
        cloud.progress.warn(f"No rule of {policy.name} matches {names}.")
