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

"""Replace a replica: the new one replicates before the old one is deleted.

Trove can't attach an instance to a source: a replica that has stopped replicating, that
may differ from its source, or that was the source before a failover, has to be created
anew. The old one keeps running until it is proved that the new one replicates.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from trove_ext.exceptions import (
    CheckError,
    RefusedError,
    ResourceFailedError,
    TroveExtError,
    WaitTimeoutError,
)
from trove_ext.follow_up import Action, Problem, Setting, Verb, add, or_to, to
from trove_ext.model.status import BUILD, Phase
from trove_ext.trove import conditions, find, send, wait_report
from trove_ext.workflows import new_instance
from trove_ext.workflows.new_instance import InstanceOptions, Nic
from trove_ext.workflows.replica import (
    build,
    create,
    detach,
    fresh_backup,
    preflight,
    probe,
    sets,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trove_ext.model.instance import Instance
    from trove_ext.polling import Deadline
    from trove_ext.trove.client import Cloud
    from trove_ext.workflows.replica.create import ReplicaPlan

ADD_SOURCE = add("name the source of the new replica", Setting.SOURCE)


@dataclass(frozen=True, slots=True)
class ReplaceRequest:
    """What the user requests.

    :ivar replica: the old one, name or ID
    :ivar source: of the new one, name or ID; None for the source of the old one
    :ivar name: of the new one; None for the name of the old one
    :ivar replacement: name or ID of the new one, if it exists already
    :ivar options: None in them: as the old one
    """

    replica: str
    source: str | None = None
    name: str | None = None
    replacement: str | None = None
    options: InstanceOptions = field(default_factory=InstanceOptions)


@dataclass(frozen=True, slots=True)
class ReplacePlan:
    """A request that passed its checks.

    :ivar new: what to create, None if the replacement exists
    :ivar replacement: the new replica, None if it has to be created
    """

    old: Instance
    source: Instance
    new: ReplicaPlan | None
    replacement: Instance | None

    @property
    def is_former_source(self) -> bool:
        """Whether the old one has no role: what it has may be nowhere else."""
        return self.old.replica_of is None

    def continued(self, new: Instance) -> Action:
        """Return the action that goes on from here, with the new replica."""
        return Action(
            Verb.REPLACE_REPLICA,
            (self.old.id,),
            source_id=self.source.id,
            replacement_id=new.id,
        )


@dataclass(frozen=True, slots=True)
class Replaced:
    """The result, as it was read last.

    :ivar old: None if it was deleted
    :ivar new: None if it was not created
    """

    old: Instance | None
    new: Instance | None
    probed: tuple[probe.Probed, ...] = ()
    error: TroveExtError | None = None


def check(cloud: Cloud, request: ReplaceRequest) -> ReplacePlan:
    """Check the old replica, the source, and what a new replica needs.

    :raises CheckError: nothing was changed; lists all that is wrong
    """
    membership = sets.find(cloud, request.replica)
    old = membership.instance
    what = f"Can't replace {old}"
    if old.replica_of is None and request.source is None:
        raise CheckError(what, [_no_role(old)])
    source = find.instance(cloud, request.source or str(old.replica_of))
    problems: list[str | Problem] = [*_old_problems(old, source)]
    if request.replacement is not None:
        replacement = find.instance(cloud, request.replacement)
        problems += _replacement_problems(old, source, replacement)
        if problems:
            raise CheckError(what, problems)
        return ReplacePlan(old, source, None, replacement)
    problems += _quota_problems(cloud, source)
    try:
        new = create.check(cloud, _creation(request, old, source))
    except CheckError as exc:
        raise CheckError(what, [*problems, *exc.details]) from exc
    if problems:
        raise CheckError(what, problems)
    return ReplacePlan(old, source, new, None)


def _no_role(old: Instance) -> Problem:
    if old.replicas:
        return Problem(
            f"it is the source of {len(old.replicas)} replicas; make another member "
            "the source first",
            (
                to(
                    "promote one of them",
                    *(
                        Action(Verb.PROMOTE_REPLICA, (replica,), wait=True)
                        for replica in old.replicas
                    ),
                ),
            ),
        )
    return Problem("it is no replica", (ADD_SOURCE,))


def _old_problems(old: Instance, source: Instance) -> Iterator[str | Problem]:
    if old.id == source.id:
        yield "it is itself the source that was named"
    elif old.replicas:
        yield (
            f"it has replicas itself ({', '.join(old.replicas)}), and Trove deletes no "
            "such instance; replace these first"
        )
    if old.status == BUILD:
        reset = Action(Verb.RESET_STATUS, (old.id,))
        yield Problem(
            f"it is {old.state}: Trove deletes no instance that is being built",
            (
                preflight.until_settled(old),
                or_to("reset its status, if its build has ended", reset, admin=True),
            ),
        )


def _replacement_problems(
    old: Instance, source: Instance, new: Instance
) -> Iterator[str]:
    if new.id == old.id:
        yield "it can't replace itself"
    elif new.replica_of != source.id:
        yield f"{new} is not a replica of {source}"


def _quota_problems(cloud: Cloud, source: Instance) -> Iterator[str]:
    """Check the quota: until the end there is one more instance than before."""
    needs = {"instances": 1, "volumes": source.size or 0}
    for shortage in new_instance.shortages(cloud, needs):
        yield f"{shortage}: the old one is deleted only after the new one replicates"


def _creation(
    request: ReplaceRequest, old: Instance, source: Instance
) -> create.Request:
    return create.Request(
        source.id, request.name or old.name, options=_like(old, request.options)
    )


def _like(old: Instance, options: InstanceOptions) -> InstanceOptions:
    """Take the settings that are not given from the old replica.

    Its configuration group counts only while it is a replica: some releases take that
    of a source away in a switch (`configuration_groups.warn_if_lost`).
    """
    network = old.networks[0] if len(old.networks) == 1 else None
    nic = Nic(network_id=network) if network else None
    given = options.configuration is not None or options.no_configuration
    group = None if given else old.configuration_id
    none = not given and group is None and old.replica_of is not None
    return replace(
        options,
        nic=options.nic or nic,
        configuration=options.configuration or group,
        no_configuration=options.no_configuration or none,
        is_public=old.is_public if options.is_public is None else options.is_public,
        allowed_cidrs=old.allowed_cidrs
        if options.allowed_cidrs is None
        else options.allowed_cidrs,
    )


def execute(cloud: Cloud, plan: ReplacePlan, deadline: Deadline) -> Replaced:
    """Create the new replica, prove that it replicates, and delete the old one.

    If the run is interrupted, the journal has the action that goes on.

    :returns: both as they were read last, with an error if it did not end well; the old
        one is not touched unless the new one replicates
    :raises TroveExtError: there is no new replica
    """
    new = plan.replacement
    if plan.new is not None:
        fresh_backup.prepare(cloud, plan.source, deadline)
        new = create.create(cloud, plan.new)[0]
    if new is None:
        raise ValueError("neither a plan nor a replacement")
    cloud.journal.continue_with(plan.continued(new))
    built = _built(cloud, plan, new, deadline)
    new = next(iter(built.replicas), new)
    if built.error is not None:
        error = built.error.extended(f"{plan.old} was not touched.")
        error = _with_way_on(cloud, plan, new, error)
        return Replaced(plan.old, new, built.probed, error)
    try:
        _remove(cloud, plan, deadline)
    except TroveExtError as exc:
        error = _with_way_on(cloud, plan, new, exc)
        left = next(iter(sets.read_members(cloud, [plan.old.id])), None)
        return Replaced(left, new, built.probed, error)
    return Replaced(None, new, built.probed)


def _built(
    cloud: Cloud, plan: ReplacePlan, new: Instance, deadline: Deadline
) -> build.Built:
    """Wait until the new replica is settled, and prove that it replicates."""
    try:
        if plan.new is not None:
            return build.follow(cloud, plan.new, [new], deadline, with_probe=True)
        source_id = plan.source.id
        target = conditions.is_replica_of(cloud, new, source_id, patience=None)
        wait_report.raise_for(cloud.wait([target], deadline))
        return build.proved(cloud, plan.source, sets.read_members(cloud, [new.id]))
    except TroveExtError as exc:
        return build.Built((new,), (), exc)


def _with_way_on(
    cloud: Cloud, plan: ReplacePlan, new: Instance, error: TroveExtError
) -> TroveExtError:
    """Add the action that goes on to an error, which says it in the journal's place."""
    cloud.journal.continue_with(None)
    go_on = to("go on with the new replica", plan.continued(new))
    if new.phase is Phase.FAILED:
        again = Action(Verb.REPLACE_REPLICA, (plan.old.id,), source_id=plan.source.id)
        go_on = to("start again after that", again)
    error.follow_ups = (*error.follow_ups, go_on)
    return error


def _remove(cloud: Cloud, plan: ReplacePlan, deadline: Deadline) -> None:
    """Detach the old replica if that is possible, and delete it.

    :raises ResourceFailedError: its role has changed since the check
    """
    old = next(iter(sets.read_members(cloud, [plan.old.id])), None)
    if old is None:
        return
    if old.replicas or old.replica_of not in {plan.old.replica_of, None}:
        raise ResourceFailedError(
            f"The role of {old} has changed meanwhile, so it is not deleted."
        )
    old = _detached(cloud, old, deadline)
    delete = partial(cloud.client.instances.delete, old.id)
    send.delete(cloud, f"delete of {old}", old, delete)
    cloud.journal.continue_with(None)
    gone = conditions.instance_gone(cloud, old)
    wait_report.raise_for(cloud.wait([gone], deadline))


def _detached(cloud: Cloud, old: Instance, deadline: Deadline) -> Instance:
    """Detach a replica that answers; a failure does not prevent its delete.

    :raises WaitTimeoutError: the time is over
    """
    if old.replica_of is None:
        return old
    if not old.is_settled:
        cloud.progress.note(f"{old} is {old.state}: it is deleted without a detach.")
        return old
    try:
        result = detach.follow(cloud, detach.submit(cloud, old), deadline)
    except RefusedError as exc:
        cloud.progress.warn(f"{exc}\n{old} is deleted without a detach.")
        return old
    if isinstance(result.error, WaitTimeoutError):
        raise result.error
    if result.error is not None:
        cloud.progress.warn(f"{result.error}\n{old} is deleted all the same.")
    return result.instance
