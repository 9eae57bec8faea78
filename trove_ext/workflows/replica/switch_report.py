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


"""The report about a set after a switch of roles."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from trove_ext.exceptions import (
    ResourceFailedError,
    TroveExtError,
    WaitTimeoutError,
)
from trove_ext.model import recovery, recovery_unfenced
from trove_ext.model.status import SWITCHING_STATUSES
from trove_ext.trove import wait_report
from trove_ext.workflows.replica import heartbeat, sets

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from trove_ext.model.instance import Instance
    from trove_ext.model.replication import ReplicationSet
    from trove_ext.polling import Outcome
    from trove_ext.trove.client import Cloud

IF_STUCK = "only if nothing changes any more, continue with the next step"


@dataclass(frozen=True, slots=True)
class Switch:
    """A change of roles, as it was read afterwards.

    :ivar before: the set before
    :ivar members: its members as they were read last
    :ivar error: what went wrong, with what to do
    """

    before: ReplicationSet
    members: tuple[Instance, ...]
    error: TroveExtError | None = None

    @property
    def source(self) -> Instance | None:
        """The new source; None while roles are being changed, or if it is not clear."""
        if any(each.status in SWITCHING_STATUSES for each in self.members):
            return None
        old = self.before.source.id if self.before.source else None
        left = tuple(each for each in self.members if each.id != old)
        return recovery.new_source(left)


def report(
    cloud: Cloud,
    what: str,
    before: ReplicationSet,
    waited: Sequence[Outcome],
    diagnose: Callable[[tuple[Instance, ...], frozenset[str]], recovery.Diagnosis],
) -> Switch:
    """Read every member first, its fault with it, and report the result.

    Only reads are sent, because a request that Trove refuses overwrites a fault.

    :param what: the switch, for messages: "promote of db2 (ID)"
    :param diagnose: the diagnosis, from the current members and the IDs of those whose
        agents are silent
    """
    members = tuple(sets.read_members(cloud, [member.id for member in before.members]))
    error = wait_report.error_of(waited)
    if error is None:
        return Switch(before, members)
    timed_out = isinstance(error, WaitTimeoutError)
    silent = (
        heartbeat.behind(members) if timed_out else heartbeat.silent(cloud, members)
    )
    diagnosis = diagnose(members, silent)
    lines = [f"{what} {'has not ended' if timed_out else 'failed'}."]
    lines += _reasons(waited)
    follow_ups = error.follow_ups
    if follow_ups and diagnosis.steps:
        follow_ups = (replace(follow_ups[0], detail=IF_STUCK), *follow_ups[1:])
    text = "\n".join([*lines, render(diagnosis)])
    wrong = type(error)(text, follow_ups=(*follow_ups, *diagnosis.steps))
    return Switch(before, members, wrong)


def after_promote(cloud: Cloud, case: recovery.Case) -> recovery.Diagnosis:
    """Diagnose a promote that failed, by the facts of the engine."""
    if cloud.engines.look(case.source.datastore).fences:
        return recovery.after_promote(case)
    return recovery_unfenced.after_promote(case)


def after_eject(cloud: Cloud, case: recovery.Case) -> recovery.Diagnosis:
    """Diagnose an eject that failed, by the facts of the engine."""
    if cloud.engines.look(case.source.datastore).ejects:
        return recovery.after_eject(case)
    return recovery_unfenced.after_eject(case)


def _reasons(waited: Sequence[Outcome]) -> list[str]:
    """Describe why the wait ended, except faults, which are shown member by member."""
    failed = [each for each in waited if not each.ok and not each.timed_out]
    return [
        f"{each.target.label} is {each.state}: {each.reading.reason}"
        for each in failed
        if each.reading is not None and not each.reading.is_fault
    ]


def unverified(
    what: str, switch: Switch, wrong: str, diagnosis: recovery.Diagnosis
) -> Switch:
    """Return a switch that has ended with a wrong result."""
    text = f"{what} has ended, but {wrong}.\n{render(diagnosis)}"
    error = ResourceFailedError(text, follow_ups=diagnosis.steps)
    return Switch(switch.before, switch.members, error)


def render(diagnosis: recovery.Diagnosis) -> str:
    """Format the state of each member."""
    lines = ["The members, as they were read last:"]
    lines += [f"  {_finding(finding)}" for finding in diagnosis.findings]
    return "\n".join(lines)


def _finding(finding: recovery.Finding) -> str:
    one = finding.instance
    return (
        f"{one}: {finding.role}, {one.state}, {finding.writes.value}, {_fault(finding)}"
    )


def _fault(finding: recovery.Finding) -> str:
    """Format a fault with its time; one from before the switch as older."""
    stored = finding.instance.fault
    if stored is None:
        return "fault: none stored"
    return f"{'fault' if finding.fault else 'older fault, not of this'}: {stored}"
