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

"""A new instance: its settings, the quota it needs, and what it contains."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trove_ext.exceptions import (
    OutOfTimeError,
    ResourceFailedError,
    TroveExtError,
)
from trove_ext.follow_up import Action, Setting, Verb, add, to
from trove_ext.model.status import Phase
from trove_ext.polling import Reading, Target
from trove_ext.trove import databases as contents
from trove_ext.trove import resources

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from trove_ext.model.instance import Instance
    from trove_ext.polling import Deadline
    from trove_ext.trove.client import Cloud

#: What to do if Trove does not report the one network of an instance.
ADD_NETWORK = add("specify the network", Setting.NETWORK)
#: ``instance`` in ``trove/common/apischema.py``.
LONGEST_NAME = 255
#: Seconds that the guest may take to create databases and users: it begins once the
#: instance is healthy (``trove/guestagent/datastore/manager.py``, ``_prepare``).
CONTENTS_TIMEOUT = 60.0
_NAME = re.compile(r"^.*[0-9a-zA-Z]+.*$")
_OCTET_MAX = 255
_CIDR = re.compile(r"([0-9]{1,3}\.){3}[0-9]{1,3}(/([0-9]|[1-2][0-9]|3[0-2]))?")


@dataclass(frozen=True, slots=True)
class Nic:
    """The network of an instance: Trove takes one (``trove/common/apischema.py``).

    Without any field: none is requested, and the instance gets only the cloud's
    management network.
    """

    network_id: str | None = None
    subnet_id: str | None = None
    ip_address: str | None = None

    def body(self) -> list[dict[str, str]]:
        """Return it in the form of Trove's API."""
        fields = {
            "network_id": self.network_id,
            "subnet_id": self.subnet_id,
            "ip_address": self.ip_address,
        }
        given = {key: value for key, value in fields.items() if value}
        return [given] if given else []


@dataclass(frozen=True, slots=True)
class InstanceOptions:
    """The options of any new instance; None: as the instance that it is modelled on.

    :ivar availability_zone: None for the cloud's, because that of an instance can't be
        read
    :ivar configuration: name or ID of a configuration group
    :ivar no_configuration: none, whatever the other instance has
    :ivar is_public: whether it gets a public address
    :ivar allowed_cidrs: who may connect
    """

    nic: Nic | None = None
    availability_zone: str | None = None
    configuration: str | None = None
    no_configuration: bool = False
    is_public: bool | None = None
    allowed_cidrs: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Shortage:
    """A quota that is too small for a new instance.

    :ivar taken: in use and reserved
    :ivar needed: by the new instance
    """

    resource: str
    limit: int
    taken: int
    needed: int

    def __str__(self) -> str:
        return (
            f"the quota of {self.resource} does not suffice: {self.taken} of "
            f"{self.limit} taken, {self.needed} more needed"
        )


def shortages(cloud: Cloud, needs: Mapping[str, int]) -> Iterator[Shortage]:
    """Compare with the project's quota; if it can't be read, only Trove checks it.

    :param needs: what is needed of each resource, by Trove's names of them
    :raises OutOfTimeError: the time of the run is over
    """
    session = cloud.client.client
    try:
        rows = cloud.read(
            "Quota", lambda: cloud.client.quota.show(session.get_project_id())
        )
    except OutOfTimeError:
        raise
    except TroveExtError as exc:
        cloud.progress.note(f"The quota could not be read, and is not checked: {exc}")
        return
    for row in rows:
        quota = resources.fields_of(row, "quota")
        resource, limit = quota.need_text("resource"), quota.need_integer("limit")
        taken = quota.need_integer("in_use") + quota.need_integer("reserved")
        needed = needs.get(resource, 0)
        # A limit below 0 means no limit.
        if needed and 0 <= limit < taken + needed:
            yield Shortage(resource, limit, taken, needed)


def name_problems(name: str) -> Iterator[str]:
    """Return why Trove would not accept a name."""
    if not 0 < len(name) <= LONGEST_NAME:
        yield f"a name has 1 to {LONGEST_NAME} characters"
    elif not _NAME.search(name):
        yield f"the name {name!r} needs an ASCII letter or digit in it, and one line"


def cidr_problems(cidrs: Iterable[str]) -> Iterator[str]:
    """Return those that are no ranges of IPv4 addresses, which Trove requires.

    Source: ``allowed_cidrs`` in ``trove/common/apischema.py``.
    """
    for cidr in cidrs:
        octets = cidr.partition("/")[0].split(".")
        spelled = _CIDR.fullmatch(cidr) is not None
        if not spelled or any(int(octet) > _OCTET_MAX for octet in octets):
            yield f"{cidr} is no range of IPv4 addresses (10.0.0.0/24)"


def access(*, is_public: bool, cidrs: Iterable[str]) -> dict[str, Any]:
    """Return who may connect, in the form of Trove's API."""
    rules: dict[str, Any] = {"is_public": is_public}
    if allowed := list(cidrs):
        rules["allowed_cidrs"] = allowed
    return rules


def contents_error(
    cloud: Cloud,
    instance: Instance,
    databases: Collection[str],
    users: Collection[str],
    deadline: Deadline,
) -> TroveExtError | None:
    """Wait until the databases and users of a new instance exist.

    A guest that can't create one of them only logs that.

    :param instance: the new instance, settled
    :param users: names
    :returns: what is missing, or why that is not known; None if all exist
    """
    if not databases and not users:
        return None
    missing: list[str] = []

    def poll() -> Reading:
        found = set(contents.names(cloud, instance)) if databases else set()
        known = set(contents.users(cloud, instance)) if users else set()
        missing[:] = [f"database {name!r}" for name in databases if name not in found]
        missing.extend(f"user {name!r}" for name in users if name not in known)
        phase = Phase.BUSY if missing else Phase.DONE
        return Reading(phase, "missing" if missing else "there")

    follow = Action(Verb.SHOW_INSTANCE, (instance.id,))
    target = Target(f"Databases and users of {instance}", poll, follow)
    timeout = min(CONTENTS_TIMEOUT, max(1.0, deadline.remaining))
    try:
        cloud.wait([target], cloud.deadline(timeout))
    except TroveExtError as exc:
        return ResourceFailedError(
            f"{instance} was created, but its databases and users can't be read: {exc}",
            follow_ups=exc.follow_ups or (to("see the instance", follow),),
        )
    if not missing:
        return None
    return ResourceFailedError(
        f"{instance} was created, but these are missing: {', '.join(missing)}. The "
        "guest agent could not create them, and Trove reports no reason."
    )
