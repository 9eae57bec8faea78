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

"""New members in place of the old ones, after a promote.

Each replacement is created and proved to replicate before the member that it replaces
is deleted, so the set is never without a replica that can be trusted. It has the name
of the old one, a new ID and another address.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trove_ext.exceptions import (
    CheckError,
    ResourceFailedError,
    TroveExtError,
)
from trove_ext.follow_up import Problem
from trove_ext.model import recovery
from trove_ext.trove import conditions, read, wait_report
from trove_ext.workflows import new_instance
from trove_ext.workflows.replica import replace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trove_ext.model.instance import Instance
    from trove_ext.polling import Deadline
    from trove_ext.trove.client import Cloud
    from trove_ext.workflows.replica.promote import PromotePlan


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """The members after a rebuild.

    :ivar members: the source, its new replicas, and what was not replaced
    :ivar error: what went wrong, with what remains to be done
    """

    members: tuple[Instance, ...]
    error: TroveExtError | None = None


def doomed(plan: PromotePlan) -> tuple[Instance, ...]:
    """Return the members that a rebuild after a promote deletes."""
    return tuple(each for each in plan.set.members if each.id != plan.target.id)


def check(cloud: Cloud, plan: PromotePlan) -> None:
    """Check what the replacements need: the quotas for one at a time, a network each.

    :raises CheckError: lists all that is missing; nothing was changed
    """
    source = plan.source
    wanted = {"instances": 1, "volumes": source.size or 0, "backups": 2}
    problems = [
        Problem(str(shortage)) for shortage in new_instance.shortages(cloud, wanted)
    ]
    problems += _without_a_network(plan)
    if problems:
        raise CheckError("The other members can't be replaced", problems)


def _without_a_network(plan: PromotePlan) -> list[Problem]:
    """Return a problem for each member for which no single network is known.

    A replacement takes the network of the member, or else that of its new source.
    """
    if len(plan.target.networks) == 1:
        return []
    unknown = [each for each in doomed(plan) if len(each.networks) != 1]
    return [
        Problem(
            f"{each} needs a network that is named, which only the replacement of a "
            "single member accepts; promote without a rebuild first"
        )
        for each in unknown
    ]


def run(
    cloud: Cloud, source: Instance, old: Sequence[Instance], deadline: Deadline
) -> Rebuilt:
    """Replace members one after the other; stop at the first that fails.

    :param source: the new source
    :param old: the members to replace
    """
    new: list[Instance] = []
    left = list(old)
    error: TroveExtError | None = None
    try:
        # A fence that was just lifted can leave it RESTART_REQUIRED for a moment.
        settled = conditions.settled(cloud, source)
        wait_report.raise_for(cloud.wait([settled], deadline))
        while left:
            request = replace.ReplaceRequest(left[0].id, source.id)
            plan = replace.check(cloud, request)
            done = replace.execute(cloud, plan, deadline)
            if done.new is not None:
                new.append(done.new)
            if done.error is not None:
                # It names the command that goes on with this member.
                error = _incomplete(done.error, source, left, left[1:])
                break
            left.pop(0)
    except TroveExtError as exc:
        error = _incomplete(exc, source, left, left)
    now = read.get_instance(cloud, source.id)
    return Rebuilt((now, *new, *left), error)


def _incomplete(
    cause: TroveExtError,
    source: Instance,
    left: Sequence[Instance],
    unnamed: Sequence[Instance],
) -> TroveExtError:
    """Return what remains to be done.

    :param unnamed: those for which the cause names no command
    """
    names = ", ".join(map(str, left))
    why = cause.of_a_step if isinstance(cause, CheckError) else cause
    text = f"{why}\nNot replaced: {names}. The promote itself has succeeded."
    rest = [recovery.replaced(unnamed, source.id, "")] if unnamed else []
    return ResourceFailedError(text, follow_ups=(*cause.follow_ups, *rest))
