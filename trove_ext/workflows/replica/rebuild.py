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
from functools import partial
from typing import TYPE_CHECKING

from trove_ext.exceptions import (
    CheckError,
    ResourceFailedError,
    TroveExtError,
)
from trove_ext.follow_up import FollowUp, Problem
from trove_ext.model import recovery
from trove_ext.trove import conditions, read, send, wait_report
from trove_ext.workflows import new_instance
from trove_ext.workflows.replica import build, create, fresh_backup

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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
    """Check the quotas for one replacement at a time.

    :raises CheckError: one is exhausted; nothing was changed
    """
    source = plan.source
    wanted = {"instances": 1, "volumes": source.size or 0, "backups": 2}
    problems = [
        Problem(str(shortage)) for shortage in new_instance.shortages(cloud, wanted)
    ]
    if problems:
        raise CheckError("The other members can't be replaced", problems)


def run(
    cloud: Cloud, source: Instance, old: Sequence[Instance], deadline: Deadline
) -> Rebuilt:
    """Replace members one after the other; stop at the first that fails.

    :param source: the new source, which is settled
    :param old: the members to replace
    """
    new: list[Instance] = []
    left = list(old)
    error: TroveExtError | None = None
    try:
        while left:
            new.append(_replacement(cloud, source, left[0], deadline))
            _delete(cloud, left[0], deadline)
            left.pop(0)
    except TroveExtError as exc:
        error = _incomplete(exc, source, left)
    now = read.get_instance(cloud, source.id)
    return Rebuilt((now, *new, *left), error)


def _replacement(
    cloud: Cloud, source: Instance, old: Instance, deadline: Deadline
) -> Instance:
    """Create a replica in the place of a member, and prove that it replicates."""
    base = fresh_backup.base(cloud, source)
    if base is not None:
        fresh_backup.take(cloud, source, deadline)
    plan = create.check(cloud, create.Request(source.id, old.name))
    made = create.create(cloud, plan)
    built = build.follow(cloud, plan, made, deadline, with_probe=True)
    if built.error is not None:
        raise built.error
    return built.replicas[0]


def _delete(cloud: Cloud, old: Instance, deadline: Deadline) -> None:
    delete = partial(cloud.client.instances.delete, old.id)
    send.delete(cloud, f"delete of {old}", old, delete)
    wait_report.raise_for(cloud.wait([conditions.instance_gone(cloud, old)], deadline))


def _incomplete(
    cause: TroveExtError, source: Instance, left: Sequence[Instance]
) -> TroveExtError:
    names = ", ".join(map(str, left))
    text = f"{cause}\nNot replaced: {names}. The promote itself has succeeded."
    return ResourceFailedError(text, follow_ups=tuple(_rest(cause, source, left)))


def _rest(
    cause: TroveExtError, source: Instance, left: Sequence[Instance]
) -> Iterator[FollowUp]:
    yield from cause.follow_ups
    yield recovery.replaced(left, source.id, "")
