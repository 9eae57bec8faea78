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

"""A switch of roles that failed, if the engine does not fence: PostgreSQL.

The facts of :mod:`trove_ext.model.recovery` that differ (``T:taskmanager/manager.py``;
``T:guestagent/strategies/replication/postgresql.py``):

- the old source is never made read-only: it takes writes until the end of a promote;
- a replica stops to be one by ``pg_promote`` before Trove stores that: in ERROR the
  chosen one, and each sibling without a role, may be a server of its own;
- an eject always fails, and changes no database.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trove_ext.follow_up import Action, FollowUp, Verb, to
from trove_ext.model import recovery, status
from trove_ext.model.recovery import Diagnosis, Writes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trove_ext.model.instance import Instance
    from trove_ext.model.recovery import Case


def after_promote(case: Case) -> Diagnosis:
    """Diagnose a promote that failed or does not end.

    The old source remains the source unless others follow the new one already, or it
    does not run any more: then only that has the data.

    :param case: its target is the replica that was promoted
    """
    assert case.target is not None  # noqa: S101 - a promote names its target
    target, source = case.read(case.target.id), case.read(case.source.id)
    if target is None or target.replica_of is not None:
        return _not_switched(case, source)
    is_followed = any(each.replica_of == target.id for each in case.members)
    if is_followed or source is None or _is_down(case, source):
        return _switched(case, target)
    return _not_switched(case, source)


def after_eject(case: Case) -> Diagnosis:
    """Diagnose an eject: the databases are as before, and Trove's states are not."""
    writes = {case.source.id: Writes.UNKNOWN}
    survivors = case.others(case.source.id)
    return Diagnosis(
        recovery.findings(case, writes), tuple(_detach_instead(case, survivors))
    )


def _detach_instead(case: Case, survivors: Sequence[Instance]) -> Iterator[FollowUp]:
    yield from recovery.reset(survivors)
    if survivors:
        yield recovery.wait(survivors)
        yield fail_over(case.source, survivors)


def fail_over(source: Instance, choice: Sequence[Instance]) -> FollowUp:
    """Return the follow-up that replaces a dead source by one of its replicas."""
    return to(
        "replace the source by one of its replicas",
        *(
            Action(Verb.FAIL_OVER, (source.id,), wait=True, target_id=each.id)
            for each in choice
        ),
        detail="choose one: Trove does not report which has the most data"
        if len(choice) > 1
        else "",
    )


def _is_down(case: Case, member: Instance) -> bool:
    return member.id in case.silent or member.operating_status in {
        status.DATABASE_DOWN,
        status.NOT_HEARD,
    }


def _writes(case: Case, source_id: str) -> dict[str, Writes]:
    """Return who takes writes: the source, and each server of its own."""
    free = [each.id for each in case.members if each.replica_of is None]
    return dict.fromkeys([*free, source_id], Writes.WRITABLE)


def _not_switched(case: Case, source: Instance | None) -> Diagnosis:
    target = case.target
    assert target is not None  # noqa: S101 - as above
    writes = _writes(case, case.source.id)
    writes.setdefault(target.id, Writes.UNKNOWN)
    found = recovery.findings(case, writes)
    if source is None:
        return Diagnosis(found, ())
    if _is_down(case, source):
        return Diagnosis(found, (fail_over(source, case.others(source.id)),))
    return Diagnosis(found, tuple(_keep_the_old_source(case, source, target.id)))


def _keep_the_old_source(
    case: Case, source: Instance, target_id: str
) -> Iterator[FollowUp]:
    yield from recovery.reset(case.members)
    yield recovery.wait(case.members)
    lost = [
        each
        for each in case.others(source.id)
        if each.id == target_id or each.replica_of != source.id
    ]
    if lost:
        yield recovery.replaced(
            lost,
            source.id,
            f"{source.name} takes writes and remains the source. The others may have "
            "been promoted: then they are servers of their own, and can't be attached "
            "again. Keep applications away from them",
        )
    yield to(
        "see whether the others replicate",
        Action(Verb.SHOW_REPLICAS, (source.id,), probe=True),
        detail="replace what does not; then promote a new replica",
    )


def _switched(case: Case, new: Instance) -> Diagnosis:
    writes = _writes(case, new.id)
    lost = [each for each in case.others(new.id) if each.replica_of != new.id]
    kept = [each for each in case.members if each not in lost]
    return Diagnosis(
        recovery.findings(case, writes),
        tuple(_keep_the_new_source(case, new, kept, lost)),
    )


def _keep_the_new_source(
    case: Case, new: Instance, kept: Sequence[Instance], lost: Sequence[Instance]
) -> Iterator[FollowUp]:
    yield from recovery.reset(kept)
    yield recovery.wait(kept)
    # The old source last: Trove refuses to delete one that still has replicas.
    ordered = sorted(lost, key=lambda each: each.id == case.source.id)
    if ordered:
        yield recovery.replaced(
            ordered,
            new.id,
            f"{new.name} is the source now. What only the others have, because it was "
            "written to them during the promote, is lost with them: look at it first",
        )
