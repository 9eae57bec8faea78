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


"""A switch of roles that failed: the state of each member, and what to do.

The facts are those of ``trove/taskmanager/manager.py`` (``promote_to_replica_source``
and ``eject_replica_source``) and of the guest (``mysql_common/service.py`` and the
replication strategies):

- a promote makes the old source read-only first and never reverts that; it is a
  ``SET GLOBAL``, which a restart of the database resets;
- a replica is read-only by its configuration; a detach restarts it without that, an
  attach restarts it with it;
- only an admin's reset ends ERROR, and it changes nothing in the databases;
  an eject and a delete are accepted in ERROR too;
- an instance that has lost its role can't be attached again: it is deleted and
  another replica is created.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trove_ext.follow_up import Action, FollowUp, Verb, or_to, to, wait_for_instance
from trove_ext.model import status as statuses

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from trove_ext.model.instance import Instance
    from trove_ext.model.status import Fault


class Writes(enum.Enum):
    """Whether a member accepts writes, as far as the API shows."""

    READ_ONLY = "likely read-only"
    WRITABLE = "likely writable"
    UNKNOWN = "read-only or not: not known"
    DOWN = "its database does not run"


@dataclass(frozen=True, slots=True)
class Finding:
    """The state of one member.

    :ivar role: in words: "replica of db1"
    :ivar fault: what Trove has stored since the switch was sent
    """

    instance: Instance
    role: str
    writes: Writes
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The state of each member of a set, and the steps to take, in order."""

    findings: tuple[Finding, ...]
    steps: tuple[FollowUp, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """The known facts after a switch of roles that failed.

    :ivar source: the source before
    :ivar target: the replica that should have become the source; None if Trove chooses
    :ivar members: the current members; deleted ones are missing
    :ivar silent: the IDs of those whose guest agent sends no heartbeat any more
    :ivar before: all as they were read right before the switch was sent: a fault that
        one of them had then explains nothing
    """

    source: Instance
    target: Instance | None
    members: tuple[Instance, ...]
    silent: frozenset[str] = frozenset()
    before: tuple[Instance, ...] = ()

    def fault(self, now: Instance) -> Fault | None:
        """Return what Trove has stored for a member since the switch was sent."""
        then = next((each.fault for each in self.before if each.id == now.id), None)
        return statuses.new_fault(then, now.fault)

    def read(self, instance_id: str) -> Instance | None:
        """Return the current record of a member."""
        return next(
            (member for member in self.members if member.id == instance_id), None
        )

    def others(self, *ids: str) -> tuple[Instance, ...]:
        """Return all members but these."""
        return tuple(member for member in self.members if member.id not in ids)

    @property
    def database_down(self) -> bool:
        """Whether the database of the old source was down before, or seems to be."""
        if self.source.operating_status == statuses.DATABASE_DOWN:
            return True
        faults = [fault for each in self.members if (fault := self.fault(each))]
        return any(map(_is_connection_lost, faults))


def _is_connection_lost(fault: Fault) -> bool:
    """Return whether a guest could not reach its database (the server's own words)."""
    return "connect to" in fault.message and "server" in fault.message


def role_of(instance: Instance, members: Iterable[Instance]) -> str:
    """Describe the role of a member."""
    members = list(members)
    if instance.replica_of is not None:
        names = {member.id: member.name for member in members}
        return f"replica of {names.get(instance.replica_of, instance.replica_of)}"
    if instance.replicas or any(member.replica_of == instance.id for member in members):
        return "replica source"
    return "no role"


def needs_reset(instance: Instance) -> bool:
    """Return whether this member accepts no request before an admin's reset."""
    return instance.status in statuses.FAILED_STATUSES | statuses.SWITCHING_STATUSES


def after_promote(case: Case) -> Diagnosis:
    """Diagnose a promote that failed or does not end.

    :param case: its target is the replica that was promoted
    """
    assert case.target is not None  # noqa: S101 - a promote names its target
    target = case.read(case.target.id)
    if target is not None and target.replica_of is None:
        return _switched(case, target)
    return _not_switched(case)


def after_eject(case: Case) -> Diagnosis:
    """Diagnose an eject that failed or does not end."""
    survivors = case.others(case.source.id)
    new = new_source(survivors)
    if new is not None:
        return _switched(case, new, ejected=True)
    return _not_ejected(case)


def new_source(survivors: Sequence[Instance]) -> Instance | None:
    """Return the member that Trove made the source, None if it made none.

    One that lost its role and could not be attached has none either: the source is
    the one that others replicate from, or that is not in ERROR.
    """
    free = [member for member in survivors if member.replica_of is None]
    followed = {member.replica_of for member in survivors}
    for choice in (
        [member for member in free if member.id in followed],
        [member for member in free if not needs_reset(member)],
        free,
    ):
        if len(choice) == 1:
            return choice[0]
    return None


def findings(case: Case, writes: dict[str, Writes]) -> tuple[Finding, ...]:
    """Return the state of each member; one that is not in ``writes`` is read-only."""
    return tuple(
        Finding(
            each,
            role_of(each, case.members),
            _writes(case, each, writes),
            case.fault(each),
        )
        for each in case.members
    )


def _writes(case: Case, member: Instance, writes: dict[str, Writes]) -> Writes:
    if member.id in case.silent:
        return Writes.UNKNOWN
    if member.operating_status == statuses.DATABASE_DOWN:
        return Writes.DOWN
    return writes.get(member.id, Writes.READ_ONLY)


# A promote that ended before the roles changed


def _not_switched(case: Case) -> Diagnosis:
    source = case.read(case.source.id)
    writes = {case.source.id: Writes.READ_ONLY}
    if case.source.operating_status == statuses.DATABASE_DOWN:
        writes[case.source.id] = Writes.DOWN
    elif case.database_down:
        writes[case.source.id] = Writes.UNKNOWN
    found = findings(case, writes)
    if source is None:
        return Diagnosis(found, ())
    if source.id in case.silent:
        return Diagnosis(found, (_failover(source),))
    return Diagnosis(found, tuple(_back_to_the_old_source(case, source)))


def _back_to_the_old_source(case: Case, source: Instance) -> Iterable[FollowUp]:
    yield from reset(case.members)
    replicas = case.others(source.id)
    waited = replicas if case.database_down else case.members
    yield wait(waited)
    yield to(
        f"restart the database of {source.name}",
        Action(Verb.RESTART_INSTANCE, (source.id,), wait=True),
        detail="it is read-only until then, or does not run; Trove accepts the restart "
        "once it is heard again, after 30 s at most",
    )
    target = case.target or case.source
    yield to(
        f"see whether {target.name} replicates",
        Action(Verb.SHOW_REPLICAS, (target.id,), probe=True),
        Action(Verb.RESTART_INSTANCE, (target.id,), wait=True),
        detail="if not, restart it",
    )
    yield or_to(
        "replace it, if a restart does not help either",
        Action(Verb.REPLACE_REPLICA, (target.id,)),
    )
    yield to(
        "promote again",
        Action(Verb.PROMOTE_REPLICA, (target.id,), probe=True, wait=True),
    )


def _failover(source: Instance) -> FollowUp:
    return to(
        "let Trove choose another source",
        Action(Verb.FAIL_OVER, (source.id,), wait=True),
        detail=f"the host of {source.name} does not answer",
    )


# An eject that ended before the roles changed


def _not_ejected(case: Case) -> Diagnosis:
    found = findings(case, {case.source.id: Writes.UNKNOWN})
    return Diagnosis(found, tuple(_eject_again(case)))


def _eject_again(case: Case) -> Iterable[FollowUp]:
    source = case.source
    dead = [member for member in case.others(source.id) if member.id in case.silent]
    if dead:
        yield delete(
            dead,
            "Trove asks every replica how far it is, and the host of "
            f"{names(dead)} does not answer",
        )
    yield to(
        "fail over again",
        Action(Verb.FAIL_OVER, (source.id,), wait=True),
        detail="Trove accepts that in ERROR too",
    )
    yield FollowUp(
        "reset the status of every member",
        resets([member for member in case.members if needs_reset(member)]),
        detail=f"needed if Trove refuses because {source.name} is heard again",
        admin=True,
    )


# A switch that ended after the roles of the source and the target had changed


def _switched(case: Case, new: Instance, *, ejected: bool = False) -> Diagnosis:
    old_id = case.source.id
    others = case.others(new.id, old_id) if ejected else case.others(new.id)
    lost = [member for member in others if member.replica_of != new.id]
    writes = {new.id: Writes.WRITABLE}
    writes |= {
        member.id: Writes.UNKNOWN
        for member in lost
        if member.replica_of is None and member.id != old_id
    }
    if ejected:
        writes[old_id] = Writes.UNKNOWN
    kept = [new, *(member for member in others if member not in lost)]
    steps = list(_on_to_the_new_source(new, kept, lost, old_id))
    return Diagnosis(findings(case, writes), tuple(steps))


def _on_to_the_new_source(
    new: Instance, kept: Sequence[Instance], lost: Sequence[Instance], old_id: str
) -> Iterable[FollowUp]:
    broken = [member for member in kept if needs_reset(member)]
    if broken:
        yield from reset(broken)
        yield wait(kept)
    if not lost:
        return
    # The old source last: Trove refuses to delete one that still has replicas.
    ordered = sorted(lost, key=lambda member: member.id == old_id)
    yield replaced(
        ordered,
        new.id,
        f"{new.name} is the source now and has all that was written to the old one. "
        "What does not replicate from it can't be attached again",
    )


# Steps


def reset(members: Iterable[Instance]) -> Iterable[FollowUp]:
    """Yield the reset of those that accept no other request before it."""
    broken = [member for member in members if needs_reset(member)]
    if broken:
        yield FollowUp(
            f"reset the status of {names(broken)}",
            resets(broken),
            detail="no other request is accepted before that. It changes nothing in "
            "the databases",
            admin=True,
        )


def resets(members: Iterable[Instance]) -> tuple[Action, ...]:
    """Return the actions that reset the status of each."""
    return tuple(Action(Verb.RESET_STATUS, (member.id,)) for member in members)


def wait(members: Sequence[Instance]) -> FollowUp:
    """Return the wait until all are settled."""
    ids = [member.id for member in members]
    return to("wait until they are settled", wait_for_instance(*ids))


def delete(members: Collection[Instance], detail: str) -> FollowUp:
    """Return the delete of members, in their order."""
    deletes = (
        Action(Verb.DELETE_INSTANCE, (member.id,), wait=True) for member in members
    )
    return to(f"delete {names(members)}", *deletes, detail=detail)


def replaced(members: Sequence[Instance], source_id: str, detail: str) -> FollowUp:
    """Return what creates replicas of a source in the place of members."""
    replaces = (
        Action(Verb.REPLACE_REPLICA, (member.id,), source_id=source_id or None)
        for member in members
    )
    return to(f"replace {names(members)}", *replaces, detail=detail)


def names(members: Iterable[Instance]) -> str:
    """Join the names of members."""
    return ", ".join(member.name for member in members)
