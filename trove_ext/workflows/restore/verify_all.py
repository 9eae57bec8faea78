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

"""Which backup of each instance of a project is verified: the newest restorable one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from trove_ext.exceptions import ResourceFailedError
from trove_ext.workflows.backup import check
from trove_ext.workflows.restore import verify
from trove_ext.workflows.restore.verify_journal import FAILED, Step

if TYPE_CHECKING:
    from trove_ext.model.backup import Backup
    from trove_ext.model.policy_file import Verification
    from trove_ext.model.selection import Selection
    from trove_ext.trove.client import Cloud


@dataclass(frozen=True, slots=True)
class Newest:
    """The backup to verify of one instance, or of one replica set.

    :ivar instance_id: of the source of a set
    :ivar name: of the instance, or of the source
    :ivar backup: its newest restorable backup; None if there is none
    :ivar problem: why there is none
    :ivar verification: how the rule of a policy file wants it to be verified
    """

    instance_id: str | None
    name: str
    datastore: str | None
    backup: Backup | None = None
    problem: str = ""
    verification: Verification | None = None


def newest_of_all(cloud: Cloud, selection: Selection) -> list[Newest]:
    """Find the newest restorable backup of each instance, a replica set as one.

    Costs a request for each 20 instances, and one for the backups of the project.

    :raises NotFoundError: no instance is selected
    """
    found = check.check_all(cloud, timedelta.max, selection=selection)
    for left in found.left_out:
        cloud.progress.note(str(left))
    return [
        Newest(
            verdict.instance_id,
            verdict.name,
            verdict.instance.datastore if verdict.instance else None,
            verdict.backup,
            verdict.problem or "",
        )
        for verdict in found.verdicts
    ]


def without_backup(newest: Newest) -> verify.Verification:
    """Return the result of an instance that has no backup to verify: a failure."""
    text = f"Instance {newest.name} ({newest.instance_id}): {newest.problem}"
    steps = (
        Step("", None, "check", FAILED, 0.0, text),
        Step("", None, "total", FAILED, 0.0),
    )
    return verify.Verification(steps, ResourceFailedError(text))
