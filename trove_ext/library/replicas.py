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

"""The jobs on instances and replica sets."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Literal

from trove_ext.exceptions import NotFoundError
from trove_ext.library.base import TIMEOUT, Base, Job, raise_if, reference
from trove_ext.trove import conditions, find, read
from trove_ext.workflows.new_instance import InstanceOptions
from trove_ext.workflows.replica import (
    build,
    create,
    detach,
    failover,
    failover_detach,
    failover_run,
    fenced_promote,
    promote,
    promote_risks,
    sets,
)
from trove_ext.workflows.replica import fresh_backup as fresh
from trove_ext.workflows.replica.switch_report import Switch

if TYPE_CHECKING:
    from trove_ext.model.instance import Instance
    from trove_ext.model.replication import ReplicationSet
    from trove_ext.workflows.replica.create import ReplicaPlan
    from trove_ext.workflows.replica.failover import FailoverPlan
    from trove_ext.workflows.replica.promote import PromotePlan


class Replicas(Base):
    """Find, wait, and create, promote, fail over and detach replicas."""

    def find_instance(self, name_or_id: str) -> Instance:
        """Find an instance by ID, or by name on any page of the list.

        :raises NotFoundError: there is none
        :raises AmbiguousNameError: several have the name; lists their IDs
        """
        with self._reading():
            return find.instance(self._cloud, name_or_id)

    def list_instances(self) -> list[Instance]:
        """Read all instances of the project: one request for each 20."""
        with self._reading():
            return read.list_instances(self._cloud)

    def wait_for_instances(
        self,
        *instances: str | Instance,
        until: Literal["settled", "deleted", "source", "detached"] = "settled",
        replica_of: str | Instance | None = None,
        timeout: float = TIMEOUT,
    ) -> tuple[Instance, ...]:
        """Wait for all of them together.

        :param until: ``settled`` is ACTIVE (or RESTART_REQUIRED) and HEALTHY;
            ``source`` and ``detached`` are settled and a replica of none
        :param replica_of: settled as replicas of this instance
        :param timeout: seconds; 0 for no limit
        :returns: those that are still there, as read last
        :raises ResourceFailedError: one is in an error state
        :raises WaitTimeoutError: time is over
        """
        cloud = self._cloud
        condition = {
            "settled": partial(conditions.settled, cloud, patience=None),
            "deleted": partial(conditions.instance_gone, cloud),
            "source": partial(conditions.is_source, cloud, patience=None),
            "detached": partial(conditions.is_detached, cloud, patience=None),
        }[until]
        with self._job(timeout) as job:
            finder = find.instances(cloud)
            found = [finder.find(reference(instance)) for instance in instances]
            job.result = tuple(found)
            if replica_of is not None:
                source = finder.find(reference(replica_of))
                condition = partial(
                    conditions.is_replica_of, cloud, source_id=source.id, patience=None
                )
            self._await([condition(each) for each in found], job.deadline)
            return self._instances(found)

    def list_replica_sets(self) -> list[ReplicationSet]:
        """Read all sets of the project: a source and its replicas each."""
        with self._reading():
            return sets.read_sets(self._cloud)

    def find_replica_set(self, instance: str | Instance) -> ReplicationSet:
        """Read the set that an instance is a member of.

        :raises NotFoundError: there is no such instance, or it is in no set
        """
        with self._reading():
            membership = sets.find(self._cloud, reference(instance))
            if membership.set is None:
                raise NotFoundError(f"{membership.instance} is in no replica set.")
            return membership.set

    def plan_create_replicas(
        self,
        source: str | Instance,
        name: str,
        *,
        count: int = 1,
        options: InstanceOptions | None = None,
    ) -> ReplicaPlan:
        """Check all of Trove's rules, and determine each setting of the new replicas.

        :param name: with ``count`` above 1 each gets ``-1``, ``-2``, .. behind it
        :param options: settings; default: those of the source
        :raises CheckError: no replica can be created like this; lists all problems
        """
        request = create.Request(
            source=reference(source),
            name=name,
            count=count,
            options=options or InstanceOptions(),
        )
        with self._reading():
            return create.check(self._cloud, request)

    def create_replicas(
        self,
        plan: ReplicaPlan,
        *,
        probe: bool = False,
        wait: bool = True,
        timeout: float = TIMEOUT,
        fresh_backup: bool = True,
    ) -> tuple[Instance, ...]:
        """Create the replicas of a plan.

        :param probe: prove that each replicates, by a database that is created on the
            source and dropped; waits in any case
        :param wait: wait until all are settled under their source
        :param timeout: seconds; 0 for no limit
        :param fresh_backup: on PostgreSQL, take a full backup first if the source has
            backups: Trove may build an incomplete replica on an older one
        :returns: the replicas in the order of their names, as read last
        :raises RefusedError: Trove refuses it; nothing was changed
        :raises ResourceFailedError: one failed, or does not replicate
        :raises WaitTimeoutError: time is over; the work continues on the server
        """
        with self._job(timeout) as job:
            fresh.prepare(self._cloud, plan.source, job.deadline, take_one=fresh_backup)
            made = create.create(self._cloud, plan)
            job.result = replicas = tuple(made)
            if wait or probe:
                built = build.follow(
                    self._cloud, plan, made, job.deadline, with_probe=probe
                )
                job.result = replicas = built.replicas
                raise_if(built.error)
            return replicas

    def plan_promote_replica(
        self, replica: str | Instance, *, probe: bool = False, fence: bool = False
    ) -> PromotePlan:
        """Check every member of the set before a planned switch.

        :param probe: prove that the replica replicates, by a database that is created
            on the source and dropped
        :param fence: stop the writes during the promote, on an engine on which Trove
            does not; a fence that an earlier process has left is lifted first
        :returns: the plan; ``risks`` is what may be lost or left wrong, empty for MySQL
            and MariaDB
        :raises CheckError: a check failed; lists all problems, member by member
        """
        with self._reading():
            plan = fenced_promote.check(
                self._cloud, reference(replica), with_fence=fence
            )
            if probe:
                plan = promote.prove(self._cloud, plan)
            return replace(plan, risks=promote_risks.of(self._cloud, plan))

    def promote_replica(
        self, plan: PromotePlan, *, wait: bool = True, timeout: float = TIMEOUT
    ) -> Switch:
        """Make the replica of a plan the source of its set.

        With a fence it waits in any case, and lifts the fence whatever happens.

        :param wait: wait until the roles have changed and all members are settled
        :param timeout: seconds; 0 for no limit
        :returns: the set before, and its members as read last
        :raises RefusedError: Trove refuses it; nothing was changed
        :raises ResourceFailedError: it failed; says what is true of each member
        :raises WaitTimeoutError: time is over; the switch continues on the server
        """
        with self._job(timeout) as job:
            if not wait and plan.fence is None:
                return self._switching(promote.submit(self._cloud, plan))
            job.result = switch = fenced_promote.run(self._cloud, plan, job.deadline)
            raise_if(switch.error)
            promote_risks.report(self._cloud, plan)
            return switch

    def plan_fail_over(
        self, source: str | Instance, *, to: str | Instance | None = None
    ) -> FailoverPlan:
        """Determine whether a source is dead and its replicas are not.

        A heartbeat that may still arrive is watched for up to 45 seconds.

        :param to: the replica that becomes the source; on PostgreSQL it is detached,
            elsewhere it is promoted afterwards if Trove chose another
        :raises CheckError: the source is not dead, or Trove could not eject it
        """
        with self._reading():
            chosen = None if to is None else reference(to)
            return failover.check(self._cloud, reference(source), chosen)

    def fail_over(
        self,
        plan: FailoverPlan,
        *,
        wait: bool = True,
        timeout: float = TIMEOUT,
    ) -> Switch:
        """Eject the dead source of a plan, or detach the replica that replaces it.

        The old source is not fenced: if its host comes back it accepts writes that no
        other member gets. What was written to it last may be lost.

        :param wait: repeat the request until Trove accepts it (it does once the guest
            agent of the source was not heard for a while), and wait until every
            survivor has its new role; a plan with a wanted replica always waits
        :param timeout: seconds; 0 for no limit
        :returns: the set before, and its members as read last
        :raises RefusedError: Trove refuses it, or still counts the source as alive
        :raises ResourceFailedError: it failed; says what is true of each member
        :raises WaitTimeoutError: time is over
        """
        with self._job(timeout) as job:
            if plan.target is not None:
                return self._detach_instead(plan, plan.target, job, wait=wait)
            if not wait and plan.wanted is None:
                return self._switching(failover.submit(self._cloud, plan, None))
            job.result = switch = failover_run.run(self._cloud, plan, job.deadline)
            raise_if(switch.error)
            return switch

    def _detach_instead(
        self, plan: FailoverPlan, target: Instance, job: Job, *, wait: bool
    ) -> Switch:
        before = failover_detach.submit(self._cloud, plan.set, target)
        if not wait:
            return self._switching(before)
        job.result = switch = failover_detach.follow(
            self._cloud, before, target, job.deadline
        )
        raise_if(switch.error)
        failover_detach.outcome(self._cloud, plan.source, target, switch)
        return switch

    def detach_replica(
        self, replica: str | Instance, *, wait: bool = True, timeout: float = TIMEOUT
    ) -> Instance:
        """Detach a replica from its set; it becomes an instance of its own.

        :param wait: wait until it replicates from none
        :param timeout: seconds; 0 for no limit
        :returns: the instance as read last
        :raises CheckError: it is no replica, or not settled; nothing was changed
        :raises ResourceFailedError: it failed
        :raises WaitTimeoutError: time is over; the detach continues on the server
        """
        with self._job(timeout) as job:
            found, _set = detach.check(self._cloud, reference(replica))
            job.result = before = detach.submit(self._cloud, found)
            if not wait:
                return before
            detached = detach.follow(self._cloud, before, job.deadline)
            job.result = detached.instance
            raise_if(detached.error)
            return detached.instance

    def _switching(self, before: ReplicationSet) -> Switch:
        """Return a switch that was accepted and not waited for."""
        ids = [each.id for each in before.members]
        return Switch(before, tuple(sets.read_members(self._cloud, ids)))
