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

"""Finding by name or ID: one place, and one rule for every kind of resource.

An ID takes precedence over a resource that has this ID as its name. If several
resources have a name, none is found: all are listed with their IDs, for the user to
choose. A deleted resource has no name any more. In Trove, names of instances, backups
and configuration groups need not be unique.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from oslo_utils import uuidutils

from trove_ext.exceptions import AmbiguousNameError, NotFoundError
from trove_ext.trove import configuration_groups, read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from trove_ext.exceptions import TroveExtError
    from trove_ext.model.backup import Backup
    from trove_ext.model.instance import Instance
    from trove_ext.trove.catalog import Flavor
    from trove_ext.trove.client import Cloud
    from trove_ext.trove.configuration_groups import Group


class Named(Protocol):
    """A resource with an ID, and with a name that others may have too."""

    @property
    def id(self) -> str:
        """Its ID."""

    @property
    def name(self) -> str:
        """Its name."""


T = TypeVar("T", bound=Named)


class Finder(Generic[T]):
    """Finds resources of one kind; the list is read at most once for all names.

    :ivar listed: all things, once they were read
    """

    def __init__(
        self,
        noun: str,
        describe: Callable[[T], str],
        *,
        read_all: Callable[[], Iterable[T]] = tuple,
        get: Callable[[str], T] | None = None,
        listed: Iterable[T] | None = None,
    ) -> None:
        """Prepare a search.

        :param noun: what a thing is, for messages: "instance"
        :param describe: what distinguishes it from others of the same name
        :param read_all: reads all things
        :param get: reads one by its ID; None if the list is all that there is
        :param listed: all things, if they were read already
        """
        self._noun = noun
        self._describe = describe
        self._read_all = read_all
        self._get = get
        self.listed: Sequence[T] | None = None if listed is None else tuple(listed)

    def find(self, name_or_id: str) -> T:
        """Find one.

        :raises NotFoundError: there is none
        :raises AmbiguousNameError: several have the name
        """
        found = self.by_id(name_or_id)
        return self.by_name(name_or_id) if found is None else found

    def each(self, names_or_ids: Iterable[str]) -> tuple[list[T], list[TroveExtError]]:
        """Find several.

        :returns: those found, once each, and what is wrong with the others
        """
        found: dict[str, T] = {}
        problems: list[TroveExtError] = []
        for name_or_id in names_or_ids:
            try:
                thing = self.find(name_or_id)
            except (NotFoundError, AmbiguousNameError) as exc:
                problems.append(exc)
            else:
                found.setdefault(thing.id, thing)
        return list(found.values()), problems

    def id_of(self, name_or_id: str) -> str:
        """Return an ID; a text in the form of an ID is passed on without a request.

        For the stock commands, which read it anyway.

        :raises NotFoundError: there is none with the name
        :raises AmbiguousNameError: several have the name
        """
        if uuidutils.is_uuid_like(name_or_id):
            return name_or_id
        return self.by_name(name_or_id).id

    def ids_of(
        self, names_or_ids: Iterable[str]
    ) -> tuple[list[str], list[TroveExtError]]:
        """Return the ID of each as :meth:`id_of` does, and what is wrong with others.

        :returns: the IDs, once each, and the errors
        """
        ids: dict[str, None] = {}
        problems: list[TroveExtError] = []
        for name_or_id in names_or_ids:
            try:
                ids[self.id_of(name_or_id)] = None
            except (NotFoundError, AmbiguousNameError) as exc:
                problems.append(exc)
        return list(ids), problems

    def by_id(self, text: str) -> T | None:
        """Find one by its ID alone; None if there is none."""
        for thing in self.listed or ():
            if thing.id == text:
                return thing
        if self._get is None:
            return next((thing for thing in self._all() if thing.id == text), None)
        if not uuidutils.is_uuid_like(text):
            return None
        try:
            return self._get(text)
        except NotFoundError:
            return None

    def by_name(self, name: str) -> T:
        """Find one by its name alone.

        :raises NotFoundError: there is none
        :raises AmbiguousNameError: several have it
        """
        found = [thing for thing in self._all() if thing.name == name]
        if not found:
            # As in osc-lib's ``find_resource``.
            raise NotFoundError(
                f"No {self._noun} with a name or ID of {name!r} exists."
            )
        if len(found) > 1:
            raise AmbiguousNameError(
                self._noun, name, {thing.id: self._describe(thing) for thing in found}
            )
        return found[0]

    def _all(self) -> Sequence[T]:
        if self.listed is None:
            self.listed = tuple(self._read_all())
        return self.listed


def instances(
    cloud: Cloud, listed: Iterable[Instance] | None = None
) -> Finder[Instance]:
    """Find instances that are not deleted, by name on any page.

    Costs one request for an ID, and for all names together one for each 20 instances.

    :param listed: all of the project, if they were read already
    """
    return Finder(
        "instance",
        _describe_instance,
        read_all=lambda: read.list_instances(cloud),
        get=lambda instance_id: read.get_instance(cloud, instance_id),
        listed=listed,
    )


def backups(cloud: Cloud, listed: Iterable[Backup] | None = None) -> Finder[Backup]:
    """Find backups, those of deleted instances too.

    Costs one request for an ID, and one for all names together.

    :param listed: all of the project, if they were read already
    """
    return Finder(
        "backup",
        _describe_backup,
        read_all=lambda: read.list_backups(cloud),
        get=lambda backup_id: read.get_backup(cloud, backup_id),
        listed=listed,
    )


def configuration_groups_of(cloud: Cloud) -> Finder[Group]:
    """Find configuration groups, by name on any page."""
    return Finder(
        "configuration group",
        _describe_group,
        read_all=lambda: configuration_groups.list_groups(cloud),
        get=lambda group_id: configuration_groups.get_group(cloud, group_id),
    )


def flavors(listed: Iterable[Flavor], version: str = "") -> Finder[Flavor]:
    """Find flavors in a list: their IDs need not be UUIDs.

    :param version: the datastore version that they are for, for messages
    """
    noun = f"flavor for {version}" if version else "flavor"
    return Finder(noun, lambda flavor: f"{flavor.ram} MB of RAM", listed=listed)


def instance(cloud: Cloud, name_or_id: str) -> Instance:
    """Find an instance; see :func:`instances`.

    :raises NotFoundError: there is none
    :raises AmbiguousNameError: several have the name
    """
    return instances(cloud).find(name_or_id)


def backup(cloud: Cloud, name_or_id: str) -> Backup:
    """Find a backup; see :func:`backups`.

    :raises NotFoundError: there is none
    :raises AmbiguousNameError: several have the name
    """
    return backups(cloud).find(name_or_id)


def configuration_group(cloud: Cloud, name_or_id: str) -> Group:
    """Find a configuration group; see :func:`configuration_groups_of`.

    :raises NotFoundError: there is none
    :raises AmbiguousNameError: several have the name
    """
    return configuration_groups_of(cloud).find(name_or_id)


def _describe_instance(instance: Instance) -> str:
    return f"{instance.state}{_created(instance.created)}"


def _describe_backup(backup: Backup) -> str:
    return (
        f"{backup.status}{_created(backup.created)}, of instance {backup.instance_id}"
    )


def _describe_group(group: Group) -> str:
    version = f"{group.datastore_name} {group.datastore_version_name}"
    return f"{version}{_created(group.created)}"


def _created(moment: datetime | None) -> str:
    return f", created {moment.isoformat(timespec='seconds')}" if moment else ""
