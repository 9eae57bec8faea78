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


"""The report about a set whose roles were to change."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trove_ext.exceptions import (
    ResourceFailedError,
    TroveExtError,
    WaitTimeoutError,
)
from trove_ext.trove import wait_report
from trove_ext.workflows.replica import heartbeat, sets

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from trove_ext.model import recovery
    from trove_ext.model.instance import Instance
    from trove_ext.model.replication import ReplicationSet
    from trove_ext.polling import Outcome
    from trove_ext.trove.client import Cloud


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


def report(
    cloud: Cloud,
    what: str,
    before: ReplicationSet,
    waited: Sequence[Outcome],
    diagnose: Callable[[tuple[Instance, ...], frozenset[str]], recovery.Diagnosis],
) -> Switch:
    """Read every member first, its fault with it, and report the result.

    Nothing is sent but reads: a request that Trove refuses overwrites a fault.

    :param what: the switch, in words: "promote of db2 (ID)"
    :param diagnose: what is true and what to do, from the members as they are now and
        the IDs of those whose agents are silent
    """
    members = tuple(sets.read_members(cloud, [one.id for one in before.members]))
    error = wait_report.error_of(cloud, waited)
    if error is None:
        return Switch(before, members)
    timed_out = isinstance(error, WaitTimeoutError)
    silent = (
        heartbeat.behind(members) if timed_out else heartbeat.silent(cloud, members)
    )
    text = render(cloud, diagnose(members, silent), timed_out=timed_out)
    lines = [f"{what} {'has not ended' if timed_out else 'failed'}."]
    lines += _reasons(waited)
    running = [one.target for one in waited if one.timed_out]
    if running:
        lines.append("Wait on with:")
        lines += wait_report.follow_lines(cloud, running)
    return Switch(before, members, type(error)("\n".join([*lines, text])))


def _reasons(waited: Sequence[Outcome]) -> list[str]:
    """Say why the wait ended, except by a fault: those are shown member by member."""
    failed = [each for each in waited if not each.ok and not each.timed_out]
    return [
        f"{each.target.label} is {each.state}: {each.reading.reason}"
        for each in failed
        if each.reading is not None and not each.reading.is_fault
    ]


def unverified(
    cloud: Cloud, what: str, switch: Switch, wrong: str, diagnosis: recovery.Diagnosis
) -> Switch:
    """Return a switch that Trove has ended, but not as it should be."""
    text = f"{what} has ended, but {wrong}.\n{render(cloud, diagnosis)}"
    return Switch(switch.before, switch.members, ResourceFailedError(text))


def render(
    cloud: Cloud, diagnosis: recovery.Diagnosis, *, timed_out: bool = False
) -> str:
    """Spell what is true of each member, and what to do in which order."""
    lines = ["The members, as they were read last:"]
    lines += [f"  {_finding(one)}" for one in diagnosis.findings]
    if diagnosis.steps:
        lines.append(
            "Should it not go on, do this, in this order:"
            if timed_out
            else "What to do, in this order:"
        )
        lines += _steps(cloud, diagnosis.steps)
    return "\n".join(lines)


def _finding(finding: recovery.Finding) -> str:
    one = finding.instance
    return (
        f"{one}: {finding.role}, {one.state}, {finding.writes.value}, {_fault(finding)}"
    )


def _fault(finding: recovery.Finding) -> str:
    """Name a fault with its time; one from before the switch as older."""
    stored = finding.instance.fault
    if stored is None:
        return "fault: none stored"
    return f"{'fault' if finding.fault else 'older fault, not of this'}: {stored}"


def _steps(cloud: Cloud, steps: Sequence[recovery.Step]) -> list[str]:
    lines = []
    for number, step in enumerate(steps, 1):
        admin = " [only an admin of the cloud can do this]" if step.admin else ""
        lines.append(f"  {number}. {step.text}.{admin}")
        lines += [f"       {_command(cloud, step, words)}" for words in step.commands]
    return lines


def _command(cloud: Cloud, step: recovery.Step, words: tuple[str, ...]) -> str:
    if step.admin:
        # An admin has other credentials than those of this command.
        return f"openstack database {shlex.join(words)}"
    return cloud.command(*words)
