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

"""The cron job by a policy file: what is due is done, retention is applied to all.

A run that was killed leaves what the next one finds in Trove: a backup in progress is
adopted, and a completed one is not due again, but retention is applied to it. It is
verified, if it is due for that, by a run that finds it within half an hour; later a
timer that starts the command often would verify it again and again.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from trove_ext.model.backup_due import State
from trove_ext.model.set_member import counts_for_run
from trove_ext.workflows.backup import prune, prune_policy
from trove_ext.workflows.backup.rotate import rotate_batches
from trove_ext.workflows.backup.rotate_all import MemberChoice
from trove_ext.workflows.backup.rotate_job import MIN_AGE, RotateRequest, RotateRow
from trove_ext.workflows.backup.rotate_preview import planned_rows
from trove_ext.workflows.backup.rotate_start import How
from trove_ext.workflows.backup.schedule import announce, schedule
from trove_ext.workflows.backup.targets import Found

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from trove_ext.model.backup_due import Due
    from trove_ext.model.policy_file import PolicyFile, Settings
    from trove_ext.polling import Deadline
    from trove_ext.trove.client import Cloud
    from trove_ext.workflows.backup.rotate_job import Check
    from trove_ext.workflows.backup.schedule import Schedule

    CheckOf = Callable[[Settings], Check | None]

#: A backup in progress is adopted, and then pruned after.
AT_WORK = (State.DUE, State.RUNNING)
#: For how long a completed backup is taken for that of a run that was killed.
REPEAT = timedelta(minutes=30)


def no_check(_settings: Settings) -> Check | None:
    """Verify no backup, whatever the rules say."""
    return None


def rotate_policy(
    cloud: Cloud,
    policy: PolicyFile,
    deadline: Deadline,
    *,
    prefer_replica: bool = False,
    check_of: CheckOf = no_check,
    dry_run: bool = False,
) -> list[RotateRow]:
    """Take the backups that are due, wait for all together, and prune all instances.

    :param prefer_replica: as for
        :func:`~trove_ext.workflows.backup.rotate_all.rotate_all`
    :param check_of: returns what verifies the backups of a rule, if anything does:
        :func:`trove_ext.workflows.restore.rotation_check.check_of`
    :param dry_run: change nothing, and return the rows as they would be
    :returns: a row for each instance that no rule skips, by name
    :raises NotFoundError: the project has no instance that can be backed up
    :raises CheckError: the backups can't be verified as the rules say; nothing was
        changed
    """
    found = schedule(cloud, policy)
    announce(cloud, policy, found)
    _prepare_checks(cloud, found, check_of)
    batches = []
    for settings, dues in _by_rule(found.dues):
        request = request_of(settings, check_of(settings), dry_run=dry_run)
        choice = MemberChoice(
            cloud, request, found.forest, prefer_replica=prefer_replica
        )
        batches.append((request, [choice.of(due.group) for due in dues]))
    rows = [
        *rotate_batches(cloud, batches, deadline),
        *(
            _waiting_plans(cloud, found)
            if dry_run
            else _finish_waiting(cloud, found, deadline, check_of)
        ),
    ]
    return sorted(rows, key=lambda row: (row.found.name, row.found.instance_id or ""))


def request_of(
    settings: Settings, check: Check | None = None, *, dry_run: bool = False
) -> RotateRequest:
    """Return the request of a rotation whose backup is due.

    A run that began at the same moment may have taken it: one that was completed just
    now counts.
    """
    return RotateRequest(
        instances=(),
        pattern=settings.pattern,
        full_every=settings.full_every,
        chain_length=settings.chain_length,
        min_age=min(MIN_AGE, settings.every / 2),
        policy=settings.keep,
        storage_driver=settings.storage_driver,
        incremental=settings.incremental,
        check=check,
        dry_run=dry_run,
    )


def _by_rule(dues: Sequence[Due]) -> Iterator[tuple[Settings, list[Due]]]:
    """Yield the instances at work of each rule, with its settings."""
    rules = {due.rule.line: due.rule for due in dues if due.rule is not None}
    for rule in rules.values():
        chosen = [due for due in dues if due.rule is rule and due.state in AT_WORK]
        if chosen and rule.settings is not None:
            yield rule.settings, chosen


def _prepare_checks(cloud: Cloud, found: Schedule, check_of: CheckOf) -> None:
    """Check that what the rules say of verifications can be done."""
    for due in found.dues:
        settings = due.rule.settings if due.rule else None
        check = check_of(settings) if settings else None
        if check is not None:
            check.prepare(cloud, [due.group.head.datastore])


def _finish_waiting(
    cloud: Cloud, found: Schedule, deadline: Deadline, check_of: CheckOf
) -> list[RotateRow]:
    """Do what an earlier run may not have done where no backup is due.

    That is the verification of its backup, and retention.
    """
    waiting = _waiting(found)
    rows = [
        _verified(cloud, found, due, deadline, check_of) for due in waiting.values()
    ]
    good = [waiting[str(row.found.instance_id)] for row in rows if not row.error]
    plans = prune_policy.plans(cloud, found, good)
    done = prune.execute_all(cloud, list(plans.values()), deadline) if plans else []
    pruned = dict(zip(plans, done, strict=True))
    return [
        replace(row, pruned=tuple(pruned[key][0]), error=pruned[key][1])
        if (key := str(row.found.instance_id)) in pruned
        else row
        for row in rows
    ]


def _waiting_plans(cloud: Cloud, found: Schedule) -> list[RotateRow]:
    """Return the rows where no backup is due, with what retention would do."""
    waiting = _waiting(found)
    plans = prune_policy.plans(cloud, found, waiting.values())
    return [
        replace(_waiting_row(due), pruned=planned_rows(plans[key]))
        if key in plans
        else _waiting_row(due)
        for key, due in waiting.items()
    ]


def _waiting(found: Schedule) -> dict[str, Due]:
    return {due.group.head.id: due for due in found.dues if due.state is State.WAITING}


def _verified(
    cloud: Cloud, found: Schedule, due: Due, deadline: Deadline, check_of: CheckOf
) -> RotateRow:
    """Return the row; the backup is verified if it has just been taken and is due."""
    row = _waiting_row(due)
    settings = due.rule.settings if due.rule else None
    check = check_of(settings) if settings else None
    if settings is None or check is None or due.last is None:
        return row
    within = min(REPEAT, settings.every / 2)
    now = cloud.clock.now()
    if not counts_for_run(found.forest, due.last, now=now, min_age=within):
        return row
    return check.apply(cloud, found.forest, row, deadline)


def _waiting_row(due: Due) -> RotateRow:
    head = due.group.head
    found = Found(head.name, head, head.id, group=due.group)
    note = f"due at {due.at:%Y-%m-%d %H:%M:%S} UTC"
    return RotateRow(found, backup=due.last, how=How.NOT_DUE, note=note)
