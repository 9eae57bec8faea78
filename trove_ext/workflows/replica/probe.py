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


"""Prove that replicas replicate, through Trove's API alone.

No status proves it: a replica whose replication has stopped is still HEALTHY. A
database that is created on the source and appears on the replica does.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from trove_ext.exceptions import (
    LoginError,
    LostAnswerError,
    NotFoundError,
    RefusedError,
    ResourceFailedError,
    TroveExtError,
    UnreachableError,
)
from trove_ext.follow_up import Action, Verb, or_to, to
from trove_ext.model import recovery
from trove_ext.model.status import Phase
from trove_ext.polling import Reading, Target
from trove_ext.trove import databases

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trove_ext.follow_up import FollowUp
    from trove_ext.model.instance import Instance
    from trove_ext.polling import Outcome
    from trove_ext.trove.client import Cloud

#: Seconds that a row may take from the source to a replica.
PROBE_TIMEOUT = 30.0
PREFIX = "trove_ext_probe_"
UNREADABLE = "can't be read"


@dataclass(frozen=True, slots=True)
class Probed:
    """Whether one replica replicates.

    :ivar seconds: until the probe was seen on it; None if it was not
    :ivar problem: why not; empty if it replicates
    :ivar readable: whether the replica could be read; if not, it may replicate
        nevertheless
    """

    replica: Instance
    seconds: float | None
    problem: str = ""
    readable: bool = True

    @property
    def ok(self) -> bool:
        """Whether the probe arrived."""
        return self.seconds is not None

    def describe(self) -> str:
        """Describe why it is not proved that it replicates."""
        verdict = "does not replicate" if self.readable else "can't be probed"
        return f"{self.replica} {verdict}: {self.problem}"


def probe(cloud: Cloud, source: Instance, replicas: Sequence[Instance]) -> list[Probed]:
    """Create a database on the source, wait for it on each replica, and drop it.

    It is dropped in any case; if that fails, a warning names the command that does.

    :raises ResourceFailedError: the source does not take writes, or can't be read
    :raises TroveExtError: it could not be created
    """
    name = f"{PREFIX}{uuid.uuid4().hex[:16]}"
    made = True
    try:
        _create(cloud, source, name)
        _await_on_source(cloud, source, name)
        return _arrivals(cloud, name, replicas)
    except (RefusedError, NotFoundError, LoginError, UnreachableError):
        # Of the create: errors of reading a replica are caught in _poll.
        made = False
        raise
    finally:
        if made:
            databases.drop(cloud, source, name, "The probe's database")


def _create(cloud: Cloud, source: Instance, name: str) -> None:
    what = f"creation of database {name} on {source}"
    send = partial(cloud.client.databases.create, source.id, [{"name": name}])
    shown_by = Action(Verb.LIST_DATABASES, (source.id,))
    try:
        cloud.change(what, send, shown_by=shown_by)
    except LostAnswerError as lost:
        try:
            there = databases.has(cloud, source, name)
        except TroveExtError as exc:
            # It may be there: it is dropped.
            raise LostAnswerError(
                f"{lost}\nIts result can't be read: {exc}",
                follow_ups=[to("see whether it is there", shown_by)],
            ) from exc
        if not there:
            raise


def _await_on_source(cloud: Cloud, source: Instance, name: str) -> None:
    """Wait until the source has it: Trove reports no failure of the creation.

    (``trove/extensions/mysql/service.py``, ``SchemaController.create``: a cast)

    :raises ResourceFailedError: it does not appear
    """
    target = Target(f"Probe on {source}", partial(_poll, cloud, source, name), None)
    outcome = cloud.wait([target], cloud.deadline(PROBE_TIMEOUT))[0]
    if outcome.ok:
        return
    reason = outcome.reading.reason if outcome.reading else ""
    raise ResourceFailedError(
        f"{source} does not take writes: a database that was created does not appear"
        if outcome.timed_out
        else f"{source} can't be read: {reason}",
        follow_ups=[again(source)],
    )


def again(member: Instance) -> FollowUp:
    """Return the command that probes a member once more."""
    return to("probe again", Action(Verb.SHOW_REPLICAS, (member.id,), probe=True))


def advice(cloud: Cloud, bad: Sequence[Probed]) -> Iterator[FollowUp]:
    """Yield what helps replicas of one set that do not replicate, on their engine."""
    for each in bad:
        if not each.readable:
            yield again(each.replica)
    broken = [each.replica for each in bad if each.readable]
    if not broken:
        return
    if not cloud.engines.look(broken[0].datastore).restart_resumes:
        yield recovery.replaced(broken, broken[0].replica_of or "", "")
        return
    ids = [(replica.id,) for replica in broken]
    yield to(
        "restart replication",
        *(Action(Verb.RESTART_INSTANCE, each, wait=True) for each in ids),
    )
    yield or_to(
        f"replace {'it' if len(broken) == 1 else 'them'}, if that does not help",
        *(Action(Verb.REPLACE_REPLICA, each) for each in ids),
    )


def _arrivals(cloud: Cloud, name: str, replicas: Sequence[Instance]) -> list[Probed]:
    targets = [
        Target(f"Replication to {replica}", partial(_poll, cloud, replica, name), None)
        for replica in replicas
    ]
    outcomes = cloud.wait(targets, cloud.deadline(PROBE_TIMEOUT))
    return [
        _probed(replica, end) for replica, end in zip(replicas, outcomes, strict=True)
    ]


def _probed(replica: Instance, outcome: Outcome) -> Probed:
    if outcome.ok:
        return Probed(replica, outcome.elapsed)
    if outcome.timed_out:
        return Probed(
            replica,
            None,
            f"what was written to its source {outcome.elapsed:.0f} s ago has not "
            "arrived: its replication has stopped or is far behind",
        )
    reason = outcome.reading.reason if outcome.reading else ""
    return Probed(replica, None, reason, readable=False)


def _poll(cloud: Cloud, replica: Instance, name: str) -> Reading:
    try:
        found = databases.has(cloud, replica, name)
    except TroveExtError as exc:
        return Reading(Phase.FAILED, UNREADABLE, str(exc))
    if found:
        return Reading(Phase.DONE, "the probe has arrived")
    return Reading(Phase.BUSY, "waiting for the probe")
