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
"""What a rotation would do: the backups that it would take, and what it would delete.

Only reads are sent. What can't be known before is left out: a full quota, a run at the
same moment, and whether a backup verifies.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from trove_ext.exceptions import TroveExtError
from trove_ext.trove import conditions, read
from trove_ext.workflows.backup.prune_run import KEPT
from trove_ext.workflows.backup.rotate_job import (
    RotateRequest,
    RotateRow,
    retention_plan,
)
from trove_ext.workflows.backup.rotate_start import How, start

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trove_ext.model.backup import Backup
    from trove_ext.polling import Deadline
    from trove_ext.trove.client import Cloud
    from trove_ext.workflows.backup.prune import PrunePlan, PruneRow
    from trove_ext.workflows.backup.targets import Found


def preview(
    cloud: Cloud,
    batches: Sequence[tuple[RotateRequest, Sequence[Found]]],
    deadline: Deadline,
) -> list[RotateRow]:
    """Return a row for each instance, as it would be after the run.

    :param batches: as for :func:`~trove_ext.workflows.backup.rotate.rotate_batches`
    """
    rows = [
        (request, _planned(cloud, request, found, deadline))
        for request, targets in batches
        for found in targets
    ]
    if not any(request.policy for request, _ in rows):
        return [row for _, row in rows]
    backups = read.list_backups(cloud)
    backups += [row.backup for _, row in rows if row.backup and row.how is How.PLANNED]
    return [_pruned(cloud, request, backups, row) for request, row in rows]


def planned_rows(plan: PrunePlan) -> tuple[PruneRow, ...]:
    """Return the rows of a plan with the results that they will have."""
    return tuple(
        replace(row, result=KEPT if row.keep else conditions.GONE) for row in plan.rows
    )


def _planned(
    cloud: Cloud, request: RotateRequest, found: Found, deadline: Deadline
) -> RotateRow:
    if found.instance is None:
        return RotateRow(found, error=found.error)
    try:
        return start(cloud, request, RotateRow(found), found.instance, deadline)
    except TroveExtError as exc:
        return RotateRow(found, error=exc)


def _pruned(
    cloud: Cloud, request: RotateRequest, backups: Sequence[Backup], row: RotateRow
) -> RotateRow:
    if request.policy is None or row.error is not None:
        return row
    plan = retention_plan(cloud, request, backups, row)
    return replace(row, pruned=planned_rows(plan))
