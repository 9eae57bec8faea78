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

"""Verify the first backup of a rotation in each period, as a part of the rotation.

Nothing is stored between two runs: a backup is due if no earlier one of the rotation is
of the same period, and the run that has made, adopted or found it verifies it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from trove_ext.model.rotation import first_of_period, own_backups
from trove_ext.workflows.restore import contents, verify
from trove_ext.workflows.restore.contents import Question
from trove_ext.workflows.restore.settings import RestoreOptions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trove_ext.model.backup import Backup
    from trove_ext.model.backup_forest import BackupForest
    from trove_ext.model.policy_file import Settings, Verification
    from trove_ext.model.rotation_naming import NamePattern
    from trove_ext.polling import Deadline
    from trove_ext.trove.client import Cloud
    from trove_ext.workflows.backup.rotate_job import RotateRow


@dataclass(frozen=True, slots=True)
class RotationCheck:
    """What a rotation verifies, and how.

    :ivar period: of which the first backup is verified: ``week``, say
    :ivar pattern: of the rotation's names
    :ivar questions: queries, and the values that they must return
    :ivar query_database: as in
        :class:`~trove_ext.workflows.restore.verify.VerifyRequest`
    :ivar options: of the temporary instance
    """

    period: str
    pattern: NamePattern
    questions: tuple[Question, ...] = ()
    query_database: str | None = None
    options: RestoreOptions = field(default_factory=RestoreOptions)

    def prepare(self, cloud: Cloud, datastores: Sequence[str | None]) -> None:
        """Check that the queries can be sent, before a backup is taken.

        :param datastores: those of the instances
        :raises CheckError: a driver is not installed
        """
        if self.questions:
            contents.require_drivers(map(cloud.engines.of, datastores))

    def apply(
        self, cloud: Cloud, forest: BackupForest, row: RotateRow, deadline: Deadline
    ) -> RotateRow:
        """Verify the backup of a row if it is due.

        The backups of all members of a replica set count together.

        :param forest: all backups of these, at least
        :returns: the row, with an error if the backup did not verify
        """
        backup, found = row.backup, row.found
        if row.error is not None or backup is None or found.instance is None:
            return row
        members = found.group.members if found.group else (found.instance,)
        own = own_backups(forest, members, self.pattern)
        if first_of_period(forest, backup, own, self.period) is not backup:
            return row
        (done,) = verify.verify(cloud, [self._request(backup, deadline)])
        total = done.steps[-1].result
        return replace(row, note=f"{row.note}; verified: {total}", error=done.error)

    def _request(self, backup: Backup, deadline: Deadline) -> verify.VerifyRequest:
        remaining = deadline.remaining
        return verify.VerifyRequest(
            backup=backup.id,
            options=self.options,
            questions=self.questions,
            query_database=self.query_database,
            timeout=0.0 if math.isinf(remaining) else max(1.0, remaining),
        )


def check_of(settings: Settings, options: RestoreOptions) -> RotationCheck | None:
    """Return what verifies the backups of a rule of a policy file; None if nothing.

    :param options: of the temporary instances
    """
    wanted = settings.verification
    if wanted is None:
        return None
    return RotationCheck(
        wanted.period,
        settings.pattern,
        questions_of(wanted),
        wanted.query_database,
        options,
    )


def questions_of(wanted: Verification) -> tuple[Question, ...]:
    """Return the queries of a rule, and the values that they must return."""
    return tuple(Question(statement, value) for statement, value in wanted.queries)
