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

"""When an operation is done: one condition for each kind of operation.

The facts are from ``trove/instance/models.py`` and ``trove/taskmanager/models.py``:
the task of every action is stored before the 202 is sent, so an instance that reads
settled afterwards has ended it. Its success shows in what it changes (role, flavor,
size), its failure also in a new fault.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from trove_ext.exceptions import NotFoundError
from trove_ext.follow_up import Action, Verb, to, wait_for_backup, wait_for_instance
from trove_ext.model import archiver, store_token
from trove_ext.model import status as statuses
from trove_ext.model.status import Phase
from trove_ext.polling import Reading, Target, confirmed
from trove_ext.trove import read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from trove_ext.model.backup import Backup
    from trove_ext.model.instance import Instance
    from trove_ext.trove.client import Cloud

#: Seconds for which an instance may read settled although the change is not
#: visible; then Trove has given up. The task of the instance that an action names is
#: stored before the 202, that of the other members once the task manager gets to it.
PATIENCE = 30.0
PATIENCE_WITH_OTHERS = 180.0
#: Seconds without any change in a set after which Trove has lost the job. Its longest
#: pause is a call of a guest (``agent_call_high_timeout``, 600 s) and one that
#: ended just before.
LOST_AFTER = 1200.0
GONE = "deleted"
#: Seconds for which a database may be down before the wait ends. A database that has
#: crashed is started again by Docker (``restart_policy`` in
#: ``trove/guestagent/utils/docker.py``), after pauses of up to a minute, and reported
#: with the next heartbeat, after 30 s.
DOWN_AFTER = 180.0
#: Seconds between two reads of the instance of a backup in progress.
INSTANCE_PAUSE = 30.0


def backup_completed(cloud: Cloud, backup: Backup) -> Target:
    """Wait until a backup is COMPLETED; a failure has its instance's fault.

    The guest agent takes it from the running database. If that stays down, the backup
    never ends.
    """
    down = _DatabaseDown(cloud)
    next_read = cloud.clock.monotonic() + INSTANCE_PAUSE
    hanging = _BackupHangs(cloud)

    def is_lost(now: Backup) -> bool:
        nonlocal next_read
        if now.instance_id is None or cloud.clock.monotonic() < next_read:
            return False
        next_read = cloud.clock.monotonic() + INSTANCE_PAUSE
        try:
            return down.lasts(cloud.shared.instance(now.instance_id))
        except NotFoundError:
            return False

    def poll() -> Reading:
        try:
            now = cloud.shared.backup(backup.id)
        except NotFoundError:
            return Reading(Phase.FAILED, GONE, "it was deleted in the meantime")
        if now.is_completed:
            return Reading(Phase.DONE, now.status)
        if now.is_running and is_lost(now):
            return Reading(Phase.FAILED, now.status, down.reason)
        if now.is_running:
            hanging.note(now)
            return Reading(Phase.BUSY, now.status)
        return Reading(Phase.FAILED, now.status, backup_fault(cloud, now))

    follow = wait_for_backup(backup.id, goal="completed")
    return Target(f"Backup {backup}", poll, follow, backup.id, backup.instance_id)


def backup_fault(cloud: Cloud, backup: Backup) -> str:
    """Return why a backup failed: Trove keeps it as the fault of the instance.

    A later fault of the instance overwrites it. One that was stored before the backup
    began, or after it ended, is marked as another one.
    """
    if backup.instance_id is None:
        return f"{statuses.NO_REASON}: it was not taken of an instance"
    try:
        stored = read.get_instance(cloud, backup.instance_id).fault
    except NotFoundError:
        return f"{statuses.NO_REASON}: its instance is deleted"
    cause = statuses.fault_between(stored, backup.created, backup.updated)
    return store_token.explain(archiver.explain(statuses.explain(cause, stored)))


def backup_gone(cloud: Cloud, backup: Backup) -> Target:
    """Wait until a backup is 404."""

    def poll() -> Reading:
        try:
            now = cloud.shared.backup(backup.id)
        except NotFoundError:
            return Reading(Phase.DONE, GONE)
        if now.status == statuses.DELETE_FAILED:
            reason = "Trove could not delete its data; delete it again, or ask an admin"
            return Reading(Phase.FAILED, now.status, reason)
        return Reading(Phase.BUSY, now.status)

    follow = wait_for_backup(backup.id, goal="deleted")
    return Target(f"Backup {backup}", poll, follow, backup.id)


def instance_gone(cloud: Cloud, instance: Instance) -> Target:
    """Wait until an instance is 404."""

    def poll() -> Reading:
        try:
            now = cloud.shared.instance(instance.id)
        except NotFoundError:
            return Reading(Phase.DONE, GONE)
        if now.phase is Phase.FAILED and instance.phase is not Phase.FAILED:
            return _failed(instance, now)
        return Reading(Phase.BUSY, now.state)

    follow = wait_for_instance(instance.id, goal="deleted")
    return Target(f"Instance {instance}", poll, follow, instance_id=instance.id)


class _BackupHangs:
    """Detects that a backup may never end, and reports it once."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._suspicious_at = cloud.clock.monotonic() + archiver.SUSPICIOUS_AFTER

    def note(self, now: Backup) -> None:
        """Record that it is in progress."""
        if self._cloud.clock.monotonic() < self._suspicious_at:
            return
        self._suspicious_at = float("inf")
        engine = self._cloud.engines.look(now.datastore)
        if why := archiver.describe_hanging(now, engine):
            self._cloud.progress.warn(f"Backup {now} is still {now.status}. {why}.")


class StallDetector:
    """Detects that nothing changes any more in a whole set.

    If Trove is restarted during a promote, every member stays in PROMOTE, and nothing
    else in the API shows that.
    """

    def __init__(self, cloud: Cloud) -> None:
        self._clock = cloud.clock
        self._last: dict[str, object] = {}
        self._moved = self._clock.monotonic()

    def lasts(self, now: Instance) -> bool:
        """Record a reading; return whether the job is lost."""
        trace = (now.state, now.updated, now.replica_of, now.fault)
        if self._last.get(now.id) != trace:
            self._last[now.id] = trace
            self._moved = self._clock.monotonic()
        return self._clock.monotonic() - self._moved >= LOST_AFTER


class _DatabaseDown:
    """Detects that the database of an instance does not run, and reports it once.

    Trove itself starts no database: without a task, only the guest's Docker or a
    requested restart does.
    """

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._since: float | None = None
        self._warned = False

    @property
    def reason(self) -> str:
        """Why the wait has ended."""
        return (
            f"its database has been down for {DOWN_AFTER / 60:.0f} minutes, and Trove "
            "has no task that starts it"
        )

    def lasts(self, now: Instance) -> bool:
        """Record a reading; return whether the wait should end."""
        if not now.is_database_down:
            self._since = None
            return False
        moment = self._cloud.clock.monotonic()
        if self._since is None:
            # If seen only once, it may be a restart that has just ended.
            self._since = moment
        elif not self._warned:
            self._warned = True
            restart = Action(Verb.RESTART_INSTANCE, (now.id,), wait=True)
            self._cloud.progress.warn(
                f"Instance {now} is {now.state}: its database does not run, and Trove "
                "does not start it by itself.",
                to("start it", restart),
            )
        return moment - self._since >= DOWN_AFTER


def settled(
    cloud: Cloud,
    before: Instance,
    *,
    change_is_visible: Callable[[Instance], bool] = lambda _now: True,
    wanted: str = "settled",
    patience: float | None = PATIENCE,
    goal: str = "settled",
    source_id: str | None = None,
    stall: StallDetector | None = None,
    ended: Callable[[Instance], bool] = lambda now: now.is_settled,
) -> Target:
    """Wait until an instance is settled and the change is visible.

    :param before: as read before the action: a fault that is newer is a failure
    :param change_is_visible: whether a reading shows the change
    :param wanted: the change in words: "a replica of db1"
    :param patience: seconds for which it may read settled without the change; None
        for any time
    :param goal: as in :class:`~trove_ext.follow_up.Action`
    :param source_id: of the source, for the goal ``replica-of``
    :param stall: shared by the members of a set; None to wait without a limit
    :param ended: whether Trove has ended the action, as far as a reading shows it
    """
    quiet_since: float | None = None
    down = _DatabaseDown(cloud)

    def given_up(now: Instance) -> str:
        nonlocal quiet_since
        moment = cloud.clock.monotonic()
        quiet_since = (quiet_since or moment) if ended(now) else None
        if patience and quiet_since and moment - quiet_since >= patience:
            return f"Trove has ended the action, but it is not {wanted}"
        if down.lasts(now):
            return down.reason
        if stall and stall.lasts(now):
            return f"nothing has changed for {LOST_AFTER / 60:.0f} minutes"
        return ""

    def poll() -> Reading:
        try:
            now = cloud.shared.instance(before.id)
        except NotFoundError:
            return Reading(Phase.FAILED, GONE, "it was deleted in the meantime")
        newer = statuses.new_fault(before.fault, now.fault)
        if now.phase is Phase.FAILED or (now.is_settled and newer):
            return _failed(before, now)
        if now.is_settled and change_is_visible(now):
            return Reading(Phase.DONE, now.state)
        reason = given_up(now)
        return Reading(Phase.FAILED if reason else Phase.BUSY, now.state, reason)

    follow = wait_for_instance(before.id, goal=goal, source_id=source_id)
    return Target(f"Instance {before}", poll, follow, instance_id=before.id)


def is_source(
    cloud: Cloud,
    before: Instance,
    patience: float | None = PATIENCE,
    stall: StallDetector | None = None,
) -> Target:
    """Wait until an instance is settled and replicates from no other."""
    return _twice(
        settled(
            cloud,
            before,
            change_is_visible=lambda now: now.replica_of is None,
            wanted="a replica source",
            patience=patience,
            goal="source",
            stall=stall,
        )
    )


def is_detached(
    cloud: Cloud, before: Instance, patience: float | None = PATIENCE
) -> Target:
    """Wait until a replica replicates from no other.

    After a failed detach it is ACTIVE too: only the role shows the failure. So it is if
    its host has died meanwhile, whose guest agent Trove then does not hear.
    """
    return settled(
        cloud,
        before,
        change_is_visible=lambda now: now.replica_of is None,
        wanted="detached",
        patience=patience,
        goal="detached",
        ended=lambda now: now.is_settled or now.is_silent,
    )


def is_replica_of(
    cloud: Cloud,
    before: Instance,
    source_id: str,
    patience: float | None = PATIENCE,
    stall: StallDetector | None = None,
) -> Target:
    """Wait until an instance is settled as a replica of that source."""
    return _twice(
        settled(
            cloud,
            before,
            change_is_visible=lambda now: now.replica_of == source_id,
            wanted=f"a replica of {source_id}",
            patience=patience,
            goal="replica-of",
            source_id=source_id,
            stall=stall,
        )
    )


def promoted(
    cloud: Cloud, target: Instance, others: Iterable[Instance]
) -> list[Target]:
    """Wait until the roles of a whole set have changed.

    :param target: the replica that was promoted, as it was before
    :param others: the old source and the other replicas, as they were before
    """
    stall = StallDetector(cloud)
    return [
        is_source(cloud, target, PATIENCE, stall),
        *(
            is_replica_of(cloud, other, target.id, PATIENCE_WITH_OTHERS, stall)
            for other in others
        ),
    ]


def ejected(cloud: Cloud, source: Instance, others: Iterable[Instance]) -> list[Target]:
    """Wait until every remaining member after an eject has another source.

    The ejected one is not among them: it is dead, or Trove had not ejected it.
    """
    stall = StallDetector(cloud)
    return [
        _twice(
            settled(
                cloud,
                other,
                change_is_visible=lambda now: now.replica_of != source.id,
                wanted=f"away from {source.name}",
                patience=PATIENCE_WITH_OTHERS,
                stall=stall,
            )
        )
        for other in others
    ]


def _failed(before: Instance, now: Instance) -> Reading:
    """Return a failure, explained by a new fault.

    An instance that had failed before the first read has that failure's fault.
    """
    cause = statuses.new_fault(before.fault, now.fault)
    if cause is None and before.phase is Phase.FAILED:
        cause = now.failure
    reason = statuses.explain(cause, now.fault)
    return Reading(Phase.FAILED, now.state, reason, is_fault=True)


def _twice(target: Target) -> Target:
    return replace(target, poll=confirmed(target.poll))
