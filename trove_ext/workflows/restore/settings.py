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

"""What a new instance from a backup gets: asked for, taken over, or missing.

What can be read of an instance is in :class:`~trove_ext.model.instance.Instance`; the
volume type and the availability zone can't be read by its owner
(``trove/instance/views.py``), so they are taken from the options alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trove_ext.exceptions import (
    AmbiguousNameError,
    NotFoundError,
    RefusedError,
    TroveExtError,
)
from trove_ext.follow_up import Note, Problem, Setting, add
from trove_ext.trove import catalog, configuration_groups, find, read, resources
from trove_ext.workflows import new_instance
from trove_ext.workflows.new_instance import Nic

if TYPE_CHECKING:
    from trove_ext.model.backup import Backup
    from trove_ext.model.instance import Instance
    from trove_ext.trove.catalog import Flavor
    from trove_ext.trove.client import Cloud


@dataclass(frozen=True, slots=True)
class Options:
    """What the caller asks for; None: as the instance that settings are taken from.

    :ivar like: take settings from this instance (name or ID) and not from the one
        that the backup was taken of
    :ivar flavor: name or ID
    :ivar size: of the volume, in GB
    :ivar configuration: name or ID of a configuration group
    :ivar no_configuration: none, whatever the other instance has
    :ivar allowed_cidrs: who may connect; None as the other instance
    """

    like: str | None = None
    flavor: str | None = None
    size: int | None = None
    nic: Nic | None = None
    volume_type: str | None = None
    availability_zone: str | None = None
    configuration: str | None = None
    no_configuration: bool = False
    is_public: bool | None = None
    allowed_cidrs: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """What the new instance gets.

    :ivar flavor_id: empty if it is not known, which is a problem that was noted
    :ivar ram: of the flavor, in MB; 0 if it is not known
    :ivar size: of the volume, in GB; None for an instance without a volume
    :ivar origin: the instance that settings were taken from
    """

    flavor_id: str
    flavor_name: str
    ram: int
    size: int | None
    nic: Nic
    volume_type: str | None
    availability_zone: str | None
    configuration_id: str | None
    is_public: bool
    allowed_cidrs: tuple[str, ...]
    origin: Instance | None


class Resolver:
    """Find each setting; note all that is wrong or missing.

    :ivar problems: what is wrong, one text each
    :ivar notes: what was chosen and may surprise
    """

    def __init__(
        self, cloud: Cloud, backup: Backup, options: Options, *, throwaway: bool
    ) -> None:
        """Take the order.

        :param throwaway: the instance lives for minutes: what has a harmless default
            is not asked for
        """
        self._cloud = cloud
        self._backup = backup
        self._options = options
        self._throwaway = throwaway
        self.problems: list[str | Problem] = []
        self.notes: list[Note] = []
        self._missing: dict[Setting, str] = {}

    def settings(self) -> Settings:
        """Find all settings."""
        other = self._other()
        self._check_version()
        self._note_defaults()
        flavor = self._flavor(other)
        found = Settings(
            flavor_id=flavor.id if flavor else "",
            flavor_name=flavor.name if flavor else "",
            ram=flavor.ram if flavor else 0,
            size=self._size(other),
            nic=self._nic(other),
            volume_type=self._options.volume_type,
            availability_zone=self._options.availability_zone,
            configuration_id=self._configuration(other),
            is_public=self._is_public(other),
            allowed_cidrs=self._allowed_cidrs(other),
            origin=other,
        )
        self._name_missing()
        return found

    def _other(self) -> Instance | None:
        """Read the instance that settings are taken from, if there is one."""
        if self._options.like:
            try:
                return find.instance(self._cloud, self._options.like)
            except TroveExtError as exc:
                self.problems.append(
                    Problem(f"its settings can't be taken over: {exc}", exc.follow_ups)
                )
                return None
        if self._backup.instance_id is None:
            return None
        try:
            return read.get_instance(self._cloud, self._backup.instance_id)
        except NotFoundError:
            return None

    def _name_missing(self) -> None:
        """Say once why so much has to be specified, and name all of it."""
        if not self._missing:
            return
        if self._options.like:
            why = f"{self._options.like} was not found"
        elif self._backup.instance_id is None:
            why = "it was not taken of an instance here"
        else:
            why = f"its instance {self._backup.instance_id} is gone"
        names = ", ".join(self._missing.values())
        self.problems.append(
            Problem(
                f"{why}, so its settings have to be specified: {names}",
                (
                    add("take them from another instance", Setting.LIKE),
                    add("specify them", *self._missing, alternative=True),
                ),
            )
        )

    def _note_defaults(self) -> None:
        """Say what can't be taken over, and is the cloud's default therefore."""
        given = {
            Setting.VOLUME_TYPE: self._options.volume_type,
            Setting.AVAILABILITY_ZONE: self._options.availability_zone,
        }
        default = [setting for setting, value in given.items() if value is None]
        if default and not self._throwaway:
            self.notes.append(
                Note(
                    "Using the cloud's defaults for settings that Trove does not "
                    f"report: {', '.join(setting.value for setting in default)}.",
                    (add("choose otherwise", *default),),
                )
            )

    def _check_version(self) -> None:
        """See that the version can still be used: plain users are shown no other."""
        datastore, version = self._backup.datastore, self._backup.datastore_version
        if datastore is None or version is None:
            self.problems.append("Trove does not report its datastore and version")
            return
        try:
            rows = self._cloud.read(
                f"Versions of datastore {datastore}",
                lambda: self._cloud.client.datastore_versions.list(datastore),
            )
        except NotFoundError:
            self.problems.append(f"there is no datastore {datastore} any more")
            return
        versions = [resources.fields_of(row, "datastore version") for row in rows]
        names = {
            version.need_text(key)
            for version in versions
            # Reported to admins only.
            if version.get("active") is not False
            for key in ("id", "name")
        }
        wanted = {self._backup.datastore_version_id, version}
        if not names & wanted and not rows.next:
            self.problems.append(
                f"version {version} of datastore {datastore}, which it was taken with, "
                "can't be used any more"
            )

    def _flavor(self, other: Instance | None) -> Flavor | None:
        wanted = self._options.flavor or (other.flavor_id if other else None)
        if wanted is None:
            self._missing[Setting.FLAVOR] = "flavor"
            return None
        backup = self._backup
        allowed = catalog.list_flavors(
            self._cloud, backup.datastore, backup.datastore_version_id
        )
        version = f"{backup.datastore} {backup.datastore_version}"
        try:
            return find.flavors(allowed, version).find(wanted)
        except AmbiguousNameError as exc:
            self.problems.append(Problem(str(exc), exc.follow_ups))
        except NotFoundError as exc:
            names = ", ".join(f"{flavor.name} ({flavor.id})" for flavor in allowed)
            self.problems.append(f"{exc} There are: {names or 'none'}")
        return None

    def _size(self, other: Instance | None) -> int | None:
        size = self._options.size or (other.size if other else None)
        if size is None:
            if other is None:
                least = f" (at least {self._least()} GB)" if self._least() else ""
                self._missing[Setting.SIZE] = f"size of the volume{least}"
            return None
        if size < self._least():
            self.problems.append(
                Problem(
                    f"a volume of {size} GB is too small: the backup needs at least "
                    f"{self._least()} GB",
                    (add("specify a larger volume", Setting.SIZE),),
                )
            )
        return size

    def _least(self) -> int:
        return math.ceil(self._backup.size or 0)

    def _nic(self, other: Instance | None) -> Nic:
        if self._options.nic is not None:
            return self._options.nic
        networks = other.networks if other else ()
        if len(networks) == 1:
            return Nic(network_id=networks[0])
        if networks:
            self.problems.append(
                Problem(
                    f"{other} is in several networks: {', '.join(networks)}",
                    (new_instance.ADD_NETWORK,),
                )
            )
        elif other is not None:
            self.problems.append(
                Problem(
                    f"Trove does not report the network of {other}",
                    (add("specify the network, or none", Setting.NETWORK_OR_NONE),),
                )
            )
        else:
            self._missing[Setting.NETWORK_OR_NONE] = "network"
        return Nic()

    def _configuration(self, other: Instance | None) -> str | None:
        if self._options.no_configuration:
            return None
        if self._options.configuration:
            return self._checked_configuration(self._options.configuration)
        if other is None:
            if not self._throwaway:
                self._missing[Setting.CONFIGURATION_OR_NONE] = "configuration group"
            return None
        if other.configuration_id is None:
            return None
        if other.datastore_version != self._backup.datastore_version:
            self._foreign_configuration(other)
            return None
        return other.configuration_id

    def _foreign_configuration(self, other: Instance) -> None:
        why = (
            f"the group of {other} is for {other.datastore} {other.datastore_version}, "
            f"the backup is of {self._backup.datastore_version}"
        )
        if self._throwaway:
            self.notes.append(Note(f"No configuration group is attached: {why}."))
        else:
            choose = add("specify a group, or none", Setting.CONFIGURATION_OR_NONE)
            self.problems.append(
                Problem(f"its configuration group can't be attached: {why}", (choose,))
            )

    def _checked_configuration(self, name_or_id: str) -> str | None:
        try:
            group = find.configuration_group(self._cloud, name_or_id)
        except (NotFoundError, AmbiguousNameError, RefusedError) as exc:
            self.problems.append(Problem(str(exc), exc.follow_ups))
            return None
        self.problems += configuration_groups.problems(
            group,
            datastore=self._backup.datastore,
            version=self._backup.datastore_version,
            version_id=self._backup.datastore_version_id,
        )
        return str(group.id)

    def _is_public(self, other: Instance | None) -> bool:
        if self._options.is_public is not None or self._throwaway:
            # Nobody should reach a copy of the data that is there for minutes.
            return bool(self._options.is_public)
        if other is None or other.is_public is None:
            self.notes.append(
                Note(
                    "Whether the database was public is not known: the new one is not.",
                    (add("make it public", Setting.PUBLIC),),
                )
            )
            return False
        return other.is_public

    def _allowed_cidrs(self, other: Instance | None) -> tuple[str, ...]:
        given = self._options.allowed_cidrs
        if given is None:
            return other.allowed_cidrs if other else ()
        self.problems += new_instance.cidr_problems(given)
        return given
