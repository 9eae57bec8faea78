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

"""The settings of a new instance from a backup: given, copied, or missing.

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
from trove_ext.trove import catalog, configuration_groups, find, read
from trove_ext.workflows import new_instance
from trove_ext.workflows.new_instance import InstanceOptions, Nic
from trove_ext.workflows.restore.version import choose_version

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trove_ext.model.backup import Backup
    from trove_ext.model.instance import Instance
    from trove_ext.trove.catalog import Flavor
    from trove_ext.trove.client import Cloud
    from trove_ext.trove.configuration_groups import Group
    from trove_ext.workflows.restore.version import VersionChoice

PRIVATE = Note(
    "Whether the database was public is not known: the new one is not.",
    (add("make it public", Setting.PUBLIC),),
)


@dataclass(frozen=True, slots=True)
class RestoreOptions(InstanceOptions):
    """The caller's options; None: as the instance that settings are copied from.

    :ivar like: copy settings from this instance (name or ID) and not from the one
        that the backup was taken of
    :ivar flavor: name or ID
    :ivar size: of the volume, in GB
    :ivar datastore_version: name or ID; None for that of the backup
    :ivar force_version: use it although it is older than that of the backup
    """

    like: str | None = None
    flavor: str | None = None
    size: int | None = None
    volume_type: str | None = None
    datastore_version: str | None = None
    force_version: bool = False


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of the new instance.

    :ivar flavor_id: empty if it is not known, which is one of the problems
    :ivar ram: of the flavor, in MB; 0 if it is not known
    :ivar size: of the volume, in GB; None for an instance without a volume
    :ivar origin: the instance that settings were copied from
    """

    version: VersionChoice
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

    @property
    def needs(self) -> dict[str, int]:
        """What it takes of the project's quotas, by Trove's names of them."""
        return {"instances": 1, "volumes": self.size or 0, "ram": self.ram}


@dataclass(frozen=True, slots=True)
class Choice:
    """Everything that the settings are chosen from.

    :ivar throwaway: the instance exists for minutes: settings with a harmless default
        are not required
    :ivar other: the instance that settings are copied from, if there is one
    :ivar version: of the new instance
    :ivar flavor: None if it is not known
    :ivar configuration: the requested group, if it was found
    :ivar unknown: the errors of what could not be read or found
    """

    backup: Backup
    options: RestoreOptions
    throwaway: bool
    other: Instance | None
    version: VersionChoice
    flavor: Flavor | None
    configuration: Group | None
    unknown: tuple[str | Problem, ...]

    def settings(self) -> Settings:
        """Choose each setting; complete only if there is no problem."""
        flavor, other, options = self.flavor, self.other, self.options
        public = options.is_public
        # A copy of the data that exists for minutes should not be reachable.
        if public is None and other is not None and not self.throwaway:
            public = other.is_public
        cidrs = options.allowed_cidrs
        if cidrs is None:
            cidrs = other.allowed_cidrs if other else ()
        networks = other.networks if other else ()
        return Settings(
            version=self.version,
            flavor_id=flavor.id if flavor else "",
            flavor_name=flavor.name if flavor else "",
            ram=flavor.ram if flavor else 0,
            size=self._size(),
            nic=options.nic or Nic(*networks[:1]),
            volume_type=options.volume_type,
            availability_zone=options.availability_zone,
            configuration_id=self._configuration_id(),
            is_public=bool(public),
            allowed_cidrs=cidrs,
            origin=other,
        )

    def problems(self) -> Iterator[str | Problem]:
        """Return all problems of the settings, and everything that is missing."""
        yield from self.unknown
        yield from self._size_problems()
        yield from self._nic_problems()
        yield from self._configuration_problems()
        yield from new_instance.cidr_problems(self.options.allowed_cidrs or ())
        yield from self._missing_problems()

    def notes(self) -> Iterator[Note]:
        """Report choices that may be unexpected."""
        if self.version.note:
            yield Note(self.version.note)
        given = {
            Setting.VOLUME_TYPE: self.options.volume_type,
            Setting.AVAILABILITY_ZONE: self.options.availability_zone,
        }
        default = [setting for setting, value in given.items() if value is None]
        if default and not self.throwaway:
            yield Note(
                "Using the cloud's defaults for settings that Trove does not report: "
                f"{', '.join(setting.value for setting in default)}.",
                (add("choose otherwise", *default),),
            )
        if self.throwaway and (why := self._why_foreign()):
            yield Note(f"No configuration group is attached: {why}.")
        known = self.other is not None and self.other.is_public is not None
        if not (known or self.throwaway or self.options.is_public is not None):
            yield PRIVATE

    def _size(self) -> int | None:
        return self.options.size or (self.other.size if self.other else None)

    def _least(self) -> int:
        return math.ceil(self.backup.size or 0)

    def _size_problems(self) -> Iterator[Problem]:
        size = self._size()
        if size is not None and size < self._least():
            yield Problem(
                f"a volume of {size} GB is too small: the backup needs at least "
                f"{self._least()} GB",
                (add("specify a larger volume", Setting.SIZE),),
            )

    def _nic_problems(self) -> Iterator[Problem]:
        other = self.other
        if self.options.nic is not None or other is None:
            return
        if not other.networks:
            yield Problem(
                f"Trove does not report the network of {other}",
                (add("specify the network, or none", Setting.NETWORK_OR_NONE),),
            )
        elif len(other.networks) > 1:
            yield Problem(
                f"{other} is in several networks: {', '.join(other.networks)}",
                (new_instance.ADD_NETWORK,),
            )

    def _configuration_id(self) -> str | None:
        if self.configuration is not None:
            return self.configuration.id
        if self.other is None or self._own_configuration or self._why_foreign():
            return None
        return self.other.configuration_id

    @property
    def _own_configuration(self) -> bool:
        """Whether the options say which group it gets."""
        return self.options.no_configuration or bool(self.options.configuration)

    def _configuration_problems(self) -> Iterator[str | Problem]:
        if self.configuration is not None:
            yield from configuration_groups.problems(
                self.configuration,
                datastore=self.backup.datastore,
                version=self.version.name,
                version_id=self.version.id,
            )
        elif not self.throwaway and (why := self._why_foreign()):
            yield Problem(
                f"its configuration group can't be attached: {why}",
                (add("specify a group, or none", Setting.CONFIGURATION_OR_NONE),),
            )

    def _why_foreign(self) -> str | None:
        """Return why the group of the other instance can't be copied."""
        other = self.other
        if other is None or other.configuration_id is None or self._own_configuration:
            return None
        if other.datastore_version == self.version.name:
            return None
        return (
            f"the group of {other} is for {other.datastore} {other.datastore_version}, "
            f"the new instance is of {self.version.name}"
        )

    def _missing(self) -> Iterator[tuple[Setting, str]]:
        """Return the settings that neither an instance nor an option provides."""
        if self.options.flavor is None and not (self.other and self.other.flavor_id):
            yield Setting.FLAVOR, "flavor"
        if self.other is not None:
            return
        if self.options.size is None:
            least = f" (at least {self._least()} GB)" if self._least() else ""
            yield Setting.SIZE, f"size of the volume{least}"
        if self.options.nic is None:
            yield Setting.NETWORK_OR_NONE, "network"
        if not (self._own_configuration or self.throwaway):
            yield Setting.CONFIGURATION_OR_NONE, "configuration group"

    def _missing_problems(self) -> Iterator[Problem]:
        """Report once which settings have to be specified, and why."""
        missing = dict(self._missing())
        if not missing:
            return
        if self.options.like:
            why = f"{self.options.like} was not found"
        elif self.backup.instance_id is None:
            why = "it was not taken of an instance here"
        else:
            why = f"its instance {self.backup.instance_id} is gone"
        yield Problem(
            f"{why}, so its settings have to be specified: "
            f"{', '.join(missing.values())}",
            (
                add("take them from another instance", Setting.LIKE),
                add("specify them", *missing, alternative=True),
            ),
        )


def choose(
    cloud: Cloud, backup: Backup, options: RestoreOptions, *, throwaway: bool
) -> Choice:
    """Read what the settings are chosen from.

    :param throwaway: see :class:`Choice`
    """
    other, no_other = _other(cloud, backup, options)
    version = choose_version(
        cloud, backup, options.datastore_version, force=options.force_version
    )
    flavor, no_flavor = _flavor(cloud, backup.datastore, version, options, other)
    group, no_group = _group(cloud, options)
    unknown: tuple[str | Problem, ...] = (
        *no_other,
        *version.problems,
        *no_flavor,
        *no_group,
    )
    return Choice(backup, options, throwaway, other, version, flavor, group, unknown)


def _other(
    cloud: Cloud, backup: Backup, options: RestoreOptions
) -> tuple[Instance | None, list[Problem]]:
    """Read the instance that settings are copied from, if there is one."""
    if options.like:
        try:
            return find.instance(cloud, options.like), []
        except TroveExtError as exc:
            why = f"its settings can't be taken over: {exc}"
            return None, [Problem(why, exc.follow_ups)]
    if backup.instance_id is None:
        return None, []
    try:
        return read.get_instance(cloud, backup.instance_id), []
    except NotFoundError:
        return None, []


def _flavor(
    cloud: Cloud,
    datastore: str | None,
    version: VersionChoice,
    options: RestoreOptions,
    other: Instance | None,
) -> tuple[Flavor | None, list[Problem]]:
    """Find the flavor among those that Trove accepts with the version."""
    wanted = options.flavor or (other.flavor_id if other else None)
    if wanted is None:
        return None, []
    allowed = catalog.list_flavors(cloud, datastore, version.id)
    try:
        return find.flavors(allowed, f"{datastore} {version.name}").find(wanted), []
    except AmbiguousNameError as exc:
        return None, [Problem(str(exc), exc.follow_ups)]
    except NotFoundError as exc:
        names = ", ".join(f"{flavor.name} ({flavor.id})" for flavor in allowed)
        return None, [Problem(f"{exc} There are: {names or 'none'}")]


def _group(cloud: Cloud, options: RestoreOptions) -> tuple[Group | None, list[Problem]]:
    """Find the requested configuration group."""
    if options.no_configuration or not options.configuration:
        return None, []
    try:
        return find.configuration_group(cloud, options.configuration), []
    except (NotFoundError, AmbiguousNameError, RefusedError) as exc:
        return None, [Problem(str(exc), exc.follow_ups)]
