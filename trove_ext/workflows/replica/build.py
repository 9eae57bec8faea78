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


"""Wait for all replicas of one request, and determine the result for each.

Trove creates them one after the other (``trove/taskmanager/manager.py``,
``_create_replication_slave``): if the snapshot of the source or one of them fails, the
following ones stay in BUILD forever, without a server and so without an address.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from trove_ext.exceptions import ResourceFailedError, TroveExtError
from trove_ext.follow_up import Action, FollowUp, Verb, to, wait_for_instance
from trove_ext.model.backup import REPLICATION_SNAPSHOT_PREFIX
from trove_ext.model.status import BACKUP, BUILD, Phase
from trove_ext.polling import Reading, Target
from trove_ext.trove import conditions, read, wait_report
from trove_ext.workflows.replica import sets
from trove_ext.workflows.replica.probe import Probed, advice, probe

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trove_ext.model.backup import Backup
    from trove_ext.model.instance import Instance
    from trove_ext.polling import Deadline, Outcome
    from trove_ext.trove.client import Cloud
    from trove_ext.workflows.replica.create import ReplicaPlan

#: Polls for which a replica has to be without a server after one that failed.
LOOKS = 3


@dataclass(frozen=True, slots=True)
class Built:
    """The replicas as they were read last.

    :ivar probed: whether each replicates; empty if that was not proved
    :ivar error: what went wrong, with the steps to take
    """

    replicas: tuple[Instance, ...]
    probed: tuple[Probed, ...] = ()
    error: TroveExtError | None = None


class _Batch:
    """The replicas of one request, and what one implies about the others."""

    def __init__(
        self, cloud: Cloud, source: Instance, made: Sequence[Instance]
    ) -> None:
        self.cloud = cloud
        self.source = source
        self.made = made
        self._ended: dict[str, Phase] = {}

    def targets(self) -> list[Target]:
        """Return what to wait for: each replica, the source, the snapshot."""
        return [
            *(
                self._replica(number, replica)
                for number, replica in enumerate(self.made)
            ),
            self._source(),
            self._snapshot(),
        ]

    def _replica(self, number: int, before: Instance) -> Target:
        inner = conditions.is_replica_of(
            self.cloud, before, self.source.id, patience=None
        )
        stuck = 0

        def poll() -> Reading:
            nonlocal stuck
            reading = inner.poll()
            if reading.phase is not Phase.BUSY:
                self._ended[before.id] = reading.phase
                return reading
            stuck = stuck + 1 if self._is_behind(number, before, reading) else 0
            if stuck < LOOKS:
                return reading
            self._ended[before.id] = Phase.FAILED
            return Reading(
                Phase.FAILED,
                reading.state,
                "Trove never started it, because an earlier one failed; it stays "
                "in BUILD forever",
            )

        return replace(inner, poll=poll)

    def _is_behind(self, number: int, before: Instance, reading: Reading) -> bool:
        if reading.phase is not Phase.BUSY or not any(
            map(self._failed, self.made[:number])
        ):
            return False
        now = read.get_instance(self.cloud, before.id)
        return now.status == BUILD and not now.addresses

    def _failed(self, replica: Instance) -> bool:
        return self._ended.get(replica.id) is Phase.FAILED

    @property
    def _over(self) -> bool:
        return len(self._ended) == len(self.made)

    def _source(self) -> Target:
        inner = conditions.settled(self.cloud, self.source, patience=None)
        busy = 0

        def poll() -> Reading:
            nonlocal busy
            reading = inner.poll()
            if not self._over or reading.phase is not Phase.BUSY:
                # Trove stores a failed snapshot early as the source's fault.
                held = reading.phase is Phase.DONE and not self._over
                return Reading(Phase.BUSY, reading.state) if held else reading
            busy += 1
            failed = any(map(self._failed, self.made))
            if failed and busy >= LOOKS and self._is_in_backup():
                reason = "the snapshot for the new replicas failed and blocks it"
                return Reading(Phase.FAILED, reading.state, reason)
            return reading

        return replace(inner, poll=poll)

    def _is_in_backup(self) -> bool:
        return read.get_instance(self.cloud, self.source.id).status == BACKUP

    def _snapshot(self) -> Target:
        source = self.source

        def poll() -> Reading:
            if not self._over:
                return Reading(Phase.BUSY, "in use")
            if any(map(self._failed, self.made)) or not self.snapshots():
                return Reading(Phase.DONE, "gone")
            return Reading(Phase.BUSY, "not deleted yet")

        follow = wait_for_instance(source.id, goal="settled")
        return Target(f"Snapshot of {source}", poll, follow)

    def snapshots(self) -> list[Backup]:
        """Return the temporary backups of this request that still exist."""
        names = {f"{REPLICATION_SNAPSHOT_PREFIX}{replica.id}" for replica in self.made}
        found = read.list_backups(self.cloud, instance_id=self.source.id)
        return [backup for backup in found if backup.name in names]


def follow(
    cloud: Cloud,
    plan: ReplicaPlan,
    made: Sequence[Instance],
    deadline: Deadline,
    *,
    with_probe: bool,
) -> Built:
    """Wait until all are settled replicas of their source, which is settled too.

    :param made: the new replicas, in the order of their names
    :param with_probe: prove afterwards that each replicates
    """
    source = plan.source
    batch = _Batch(cloud, source, made)
    waited = cloud.wait(batch.targets(), deadline)
    replicas = tuple(sets.read_members(cloud, [replica.id for replica in made]))
    error = wait_report.error_of(waited)
    if error is not None:
        if isinstance(error, ResourceFailedError):
            follow_ups = [*error.follow_ups, *_way_out(cloud, batch, replicas, waited)]
            error = ResourceFailedError(str(error), follow_ups=follow_ups)
        return Built(replicas, (), error)
    if plan.unwanted_configuration:
        replicas = _without_configuration(cloud, replicas, deadline)
    return proved(cloud, source, replicas) if with_probe else Built(replicas)


def proved(cloud: Cloud, source: Instance, replicas: Sequence[Instance]) -> Built:
    """Prove that each replica replicates.

    :param replicas: as they were read last
    """
    probed = tuple(probe(cloud, source, replicas))
    return Built(tuple(replicas), probed, _unproved(cloud, probed))


def _without_configuration(
    cloud: Cloud, replicas: Sequence[Instance], deadline: Deadline
) -> tuple[Instance, ...]:
    """Detach the configuration group that Trove has attached nevertheless.

    :raises TroveExtError: it could not be detached
    """
    manager = cloud.client.instances
    having = [replica for replica in replicas if replica.configuration_id is not None]
    for replica in having:
        cloud.change(
            f"detach of the configuration of {replica}",
            partial(manager.update, replica.id, remove_configuration=True),
        )
    targets = [
        conditions.settled(
            cloud,
            replica,
            change_is_visible=lambda now: now.configuration_id is None,
            wanted="without a configuration group",
        )
        for replica in having
    ]
    if targets:
        wait_report.raise_for(cloud.wait(targets, deadline))
    return tuple(sets.read_members(cloud, [replica.id for replica in replicas]))


def _unproved(cloud: Cloud, probed: Sequence[Probed]) -> TroveExtError | None:
    bad = [probe for probe in probed if not probe.ok]
    if not bad:
        return None
    text = "\n".join(probe.describe() for probe in bad)
    return ResourceFailedError(text, follow_ups=tuple(advice(cloud, bad)))


def _way_out(
    cloud: Cloud,
    batch: _Batch,
    replicas: Sequence[Instance],
    waited: Sequence[Outcome],
) -> Iterator[FollowUp]:
    stuck = [replica for replica in replicas if replica.status == BUILD]
    held = next(iter(sets.read_members(cloud, [batch.source.id])), batch.source)
    resets = [*stuck, *([held] if held.status == BACKUP else [])]
    if resets:
        yield FollowUp(
            "reset the status of what is stuck",
            tuple(Action(Verb.RESET_STATUS, (instance.id,)) for instance in resets),
            detail="no other request is accepted before that",
            admin=True,
        )
    deletes = _deletes(batch, replicas, waited)
    if deletes:
        yield to("delete what failed", *deletes)
    for snapshot in batch.snapshots():
        yield to(
            "delete the temporary backup that remains",
            Action(Verb.DELETE_BACKUP, (snapshot.id,)),
        )
    yield to(
        "see what is wrong on the source, then create them again",
        Action(Verb.SHOW_REPLICAS, (batch.source.id,)),
    )


def _deletes(
    batch: _Batch, replicas: Sequence[Instance], waited: Sequence[Outcome]
) -> list[Action]:
    """Delete the replicas that failed; `waited` begins with those of the batch."""
    failed = {
        replica.id
        for replica, end in zip(batch.made, waited, strict=False)
        if end.reading is not None and end.reading.phase is Phase.FAILED
    }
    return [
        Action(Verb.DELETE_INSTANCE, (replica.id,), wait=True)
        for replica in replicas
        if replica.id in failed
    ]
