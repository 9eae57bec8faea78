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


"""New replicas with the network and configuration of their source.

Trove gives a replica neither the network nor the access rules of its source, checks
the quota of backups only when it is building (``trove/taskmanager/models.py``,
``get_replication_master_snapshot``), and returns only the last of several replicas
(``trove/instance/models.py``, ``Instance.create``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trove_ext.exceptions import (
    AmbiguousNameError,
    CheckError,
    NotFoundError,
    RefusedError,
)
from trove_ext.follow_up import Problem
from trove_ext.trove import configuration_groups, find, read, resources, send
from trove_ext.workflows import new_instance
from trove_ext.workflows.backup import failed
from trove_ext.workflows.new_instance import ADD_NETWORK, InstanceOptions, Nic
from trove_ext.workflows.replica import preflight, sets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trove_ext.model.instance import Instance
    from trove_ext.trove.client import Cloud

#: ``replica_count`` in Trove's schema (``trove/common/apischema.py``).
MOST_REPLICAS = 3
#: Datastores without a ``replication_strategy`` in ``trove/common/cfg.py``.
NOT_REPLICATING = frozenset(
    {"cassandra", "couchbase", "mongodb", "couchdb", "vertica", "db2"}
)
BACKUPS = "backups"


@dataclass(frozen=True, slots=True)
class Request:
    """What the user requests.

    :ivar source: name or ID
    :ivar options: None in them: as the source
    """

    source: str
    name: str
    count: int = 1
    options: InstanceOptions = field(default_factory=InstanceOptions)


@dataclass(frozen=True, slots=True)
class ReplicaPlan:
    """A request that passed its checks, with the settings of the source."""

    request: Request
    source: Instance
    nic: Nic
    configuration_id: str | None
    access: dict[str, Any]

    @property
    def unwanted_configuration(self) -> bool:
        """Whether Trove will attach a group that was not requested.

        Without one it takes the source's (``trove/instance/service.py``,
        ``Controller.create``).
        """
        return self.configuration_id is None and bool(self.source.configuration_id)

    @property
    def names(self) -> tuple[str, ...]:
        """The names that Trove gives: ``-1`` .. ``-n`` behind them for several."""
        name, count = self.request.name, self.request.count
        if count == 1:
            return (name,)
        return tuple(f"{name}-{number}" for number in range(1, count + 1))


def check(cloud: Cloud, request: Request) -> ReplicaPlan:
    """Check all of Trove's rules, and report all problems together.

    :raises CheckError: nothing was changed
    """
    source = find.instance(cloud, request.source)
    options = request.options
    configuration_id, unknown = _configuration(cloud, options, source)
    problems = [
        *_source_problems(source),
        *_count_problems(request),
        *_network_problems(options.nic, source),
        *new_instance.cidr_problems(options.allowed_cidrs or ()),
        *new_instance.name_problems(request.name),
        *_quota_problems(cloud),
        *unknown,
    ]
    if problems:
        raise CheckError(f"No replica of {source} can be created like this", problems)
    nic = options.nic or Nic(network_id=source.networks[0])
    return ReplicaPlan(request, source, nic, configuration_id, _access(options, source))


def _source_problems(source: Instance) -> Iterator[str | Problem]:
    if source.replica_of is not None:
        yield (
            f"{source} is itself a replica, of {source.replica_of}; name that one: "
            "there are no replicas of replicas"
        )
    if not source.is_settled:
        yield Problem(
            f"{source} is {source.state}, not ACTIVE/HEALTHY",
            (preflight.until_settled(source),),
        )
    if (source.datastore or "").lower() in NOT_REPLICATING:
        yield f"{source} is a {source.datastore}: Trove can't replicate that"


def _count_problems(request: Request) -> Iterator[str]:
    if not 1 <= request.count <= MOST_REPLICAS:
        yield (
            f"{request.count} replicas: Trove creates 1 to {MOST_REPLICAS} with one "
            "request"
        )


def _network_problems(nic: Nic | None, source: Instance) -> Iterator[str | Problem]:
    if nic is not None:
        if nic.ip_address:
            yield "a replica can't choose its ip-address: Trove refuses that"
        if not nic.body():
            yield "a replica needs a network: Trove can't make one without"
        return
    if not source.networks:
        yield Problem(f"Trove does not report the network of {source}", (ADD_NETWORK,))
    elif len(source.networks) > 1:
        yield Problem(
            f"{source} is in several networks: {', '.join(source.networks)}",
            (ADD_NETWORK,),
        )


def _quota_problems(cloud: Cloud) -> Iterator[Problem]:
    """Check the quota for the temporary backup that every new replica starts from."""
    for shortage in new_instance.shortages(cloud, {BACKUPS: 1}):
        advice = failed.advice(cloud)
        yield Problem(
            f"{shortage}: a replica starts from a temporary backup. {advice}",
            advice.follow_ups,
        )


def _configuration(
    cloud: Cloud, options: InstanceOptions, source: Instance
) -> tuple[str | None, list[str | Problem]]:
    """Return the ID of the configuration group, and what is wrong with it."""
    if options.no_configuration:
        return None, []
    if options.configuration is None:
        return source.configuration_id, []
    try:
        group = find.configuration_group(cloud, options.configuration)
    except (NotFoundError, AmbiguousNameError, RefusedError) as exc:
        return None, [Problem(str(exc), exc.follow_ups)]
    wrong = configuration_groups.problems(
        group,
        datastore=source.datastore,
        version=source.datastore_version,
        version_id=None,
    )
    return str(group.id), list(wrong)


def _access(options: InstanceOptions, source: Instance) -> dict[str, Any]:
    public = source.is_public if options.is_public is None else options.is_public
    cidrs = options.allowed_cidrs
    return new_instance.access(
        is_public=bool(public),
        cidrs=source.allowed_cidrs if cidrs is None else cidrs,
    )


def create(cloud: Cloud, plan: ReplicaPlan) -> list[Instance]:
    """Send the create request once, and find all its replicas.

    :raises RefusedError: Trove refuses it; nothing was created
    :raises LostAnswerError: the response was lost, and nothing of that name exists
    """
    request = plan.request
    last = send.create_instance(
        cloud,
        plan.names[-1],
        lambda: resources.id_of(
            cloud.client.instances.create(
                request.name,
                nics=plan.nic.body(),
                replica_of=plan.source.id,
                replica_count=request.count,
                configuration=plan.configuration_id,
                availability_zone=request.options.availability_zone,
                access=plan.access,
            ),
            "instance",
        ),
        source_id=plan.source.id,
    )
    return made(cloud, plan, last)


def made(cloud: Cloud, plan: ReplicaPlan, last: str) -> list[Instance]:
    """Return all replicas of the request, in the order of their names.

    :param last: the ID in Trove's response
    """
    now = read.get_instance(cloud, plan.source.id)
    new = [replica for replica in now.replicas if replica not in plan.source.replicas]
    found = sets.read_members(cloud, dict.fromkeys([*new, last]))
    named = [replica for replica in found if replica.name in plan.names]
    return sorted(named, key=lambda replica: plan.names.index(replica.name))
