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

"""The deletes of one plan of a prune: wave by wave, each checked right before."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from trove_ext.exceptions import (
    LoginError,
    NotFoundError,
    OutOfTimeError,
    PartialFailureError,
    ServiceError,
    TroveExtError,
    UnreachableError,
    WaitTimeoutError,
)
from trove_ext.follow_up import Action, FollowUp, Verb, to
from trove_ext.model import retention
from trove_ext.model.backup_forest import BackupForest
from trove_ext.trove import conditions, read
from trove_ext.workflows.backup import delete

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from trove_ext.model.backup import Backup
    from trove_ext.polling import Deadline, Outcome
    from trove_ext.trove.client import Cloud
    from trove_ext.workflows.backup.prune import PrunePlan, PruneRow

KEPT = "kept"
#: Trove has accepted the delete, but its result is not known.
ACCEPTED = "accepted"
LEFT_ALONE = "left alone"
GO_ON = "Run the same again to continue."
LEFT = (to("see what remains", Action(Verb.LIST_CHAINS)),)


class PruneRun:
    """One application of a plan.

    :ivar waiting: the backups whose turn has not come yet
    :ivar results: of each backup to delete, by ID
    """

    def __init__(self, cloud: Cloud, plan: PrunePlan, deadline: Deadline) -> None:
        self.cloud = cloud
        self.plan = plan
        self.deadline = deadline
        self.waiting = list(plan.retention.deletions)
        self.results: dict[str, str] = {}
        #: IDs whose delete Trove has accepted, even before they are deleted.
        self.sent: set[str] = set()
        #: Why the chain with this root is skipped.
        self.skipped_chains: dict[str, str] = {}
        self.end: TroveExtError | None = None

    def send_wave(self) -> list[Backup]:
        """Send the deletes of all remaining leaves; return those to wait for."""
        wave = self._leaves(self.waiting)
        taken = {backup.id for backup in wave}
        self.waiting = [backup for backup in self.waiting if backup.id not in taken]
        return [backup for backup in wave if self._send(backup)]

    def ended(self, backup: Backup, outcome: Outcome) -> None:
        """Record the result of a delete that was waited for."""
        self.results[backup.id] = outcome.state
        if not outcome.ok:
            root = self.plan.forest.root(backup.id).id
            self.skipped_chains[root] = f"backup {backup} is still {outcome.state}"
        if outcome.timed_out and self.end is None:
            self.end = WaitTimeoutError(
                f"Backup {backup} is still {outcome.state} after "
                f"{outcome.elapsed:.0f} s; it continues on the server. {GO_ON}",
                follow_ups=LEFT,
            )

    def lost(self, backup: Backup, error: TroveExtError) -> None:
        """Record that the result of a delete can't be read."""
        self.results[backup.id] = ACCEPTED
        self.end = self._ended(error)

    def rows(self) -> list[PruneRow]:
        """Return every backup of the plan with its result."""
        return [
            replace(row, result=KEPT if row.keep else self.results[row.backup.id])
            for row in self.plan.rows
        ]

    def error(self) -> TroveExtError | None:
        """Describe what went wrong: the end of the whole run, or the skipped chains."""
        left = [result for result in self.results.values() if result != conditions.GONE]
        if self.end is not None or not left:
            return self.end
        why = "; ".join(dict.fromkeys(self.skipped_chains.values()))
        return PartialFailureError(
            f"{len(left)} of {len(self.results)} backups were not deleted: {why}\n"
            f"{GO_ON}",
            follow_ups=LEFT,
        )

    def _leaves(self, waiting: Sequence[Backup]) -> list[Backup]:
        """Return those without dependents; a plan deletes no member of a cycle."""
        parents = {backup.parent_id for backup in waiting}
        return [backup for backup in waiting if backup.id not in parents]

    def _send(self, backup: Backup) -> bool:
        """Send one delete if everything is still as planned."""
        root = self.plan.forest.root(backup.id).id
        if self.end is None and self.deadline.passed:
            self.end = WaitTimeoutError(
                f"Time ran out before all backups were deleted. {GO_ON}",
                follow_ups=LEFT,
            )
        if self.end is not None or root in self.skipped_chains:
            self.results[backup.id] = LEFT_ALONE
            return False
        try:
            now = self._read_again(backup)
            if backup.id not in now and self._is_gone(backup):
                self.results[backup.id] = conditions.GONE
                return False
            problem = self._problem(backup, now)
            if problem is None:
                delete.submit(self.cloud, backup)
                self.sent.add(backup.id)
                return True
        except TroveExtError as exc:
            if isinstance(exc, (UnreachableError, LoginError, OutOfTimeError)):
                self.end = self._ended(exc)
            self._leave(backup, root, str(exc), exc.follow_ups)
        else:
            self._leave(backup, root, problem)
        return False

    def _ended(self, error: TroveExtError) -> TroveExtError:
        """Return an error with the command that shows the result of the deletes."""
        kinds = (OutOfTimeError, LoginError, UnreachableError)
        kind = next((each for each in kinds if isinstance(error, each)), ServiceError)
        return kind(f"{error}\n{GO_ON}", follow_ups=[*error.follow_ups, *LEFT])

    def _leave(
        self,
        backup: Backup,
        root: str,
        problem: str,
        follow_ups: Iterable[FollowUp] = (),
    ) -> None:
        self.results[backup.id] = f"{LEFT_ALONE}: {problem}"
        self.skipped_chains[root] = problem
        self.cloud.progress.warn(
            f"Backup {backup} and its chain are skipped: {problem}", *follow_ups
        )

    def _is_gone(self, backup: Backup) -> bool:
        """Read a backup that is not in the list: another run may have deleted it."""
        try:
            read.get_backup(self.cloud, backup.id)
        except NotFoundError:
            self.cloud.progress.note(f"Backup {backup} was gone already.")
            return True
        return False

    def _problem(self, backup: Backup, now: BackupForest) -> str | None:
        """Compare with the current chain; describe a relevant change.

        A backup that was to be deleted and is gone has changed as planned.
        """
        planned = {backup.id for backup in self.plan.retention.deletions}
        gone = self.sent | {backup_id for backup_id in planned if backup_id not in now}
        signature = retention.chain_signature
        if signature(now, backup.id, gone) != signature(
            self.plan.forest, backup.id, gone
        ):
            return "its chain has changed since it was planned"
        again = retention.plan(
            now,
            self.plan.policy,
            self.cloud.clock.now(),
            instance_ids=[backup.instance_id] if backup.instance_id else None,
            project_id=self.plan.project_id,
            made=self.plan.made,
            rotation=self.plan.rotation,
        )
        if backup.id not in {deletion.id for deletion in again.deletions}:
            return "the policy keeps it now, because other backups have changed"
        return None

    def _read_again(self, backup: Backup) -> BackupForest:
        """Read the instance's backups, or the project's if those of others count."""
        members = self.plan.forest.chain(backup.id).members
        own = all(member.instance_id == backup.instance_id for member in members)
        if self.plan.rotation is not None:
            own = own and len(self.plan.rotation.members) == 1
        return BackupForest.of(
            read.list_backups(
                self.cloud, instance_id=backup.instance_id if own else None
            ),
            self.cloud.engines.look,
        )
