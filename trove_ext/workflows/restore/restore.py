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

"""A new instance from a backup, checked before it is requested.

The rules are from ``trove/instance/models.py`` (``Instance.create``): Trove checks only
the named backup, none of its ancestors, compares the datastore by name and not the
version, and uses the cloud's default datastore if none is given.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trove_ext.exceptions import (
    CheckError,
    NotFoundError,
    ResourceFailedError,
    TroveExtError,
    WaitTimeoutError,
)
from trove_ext.follow_up import Action, Verb, to
from trove_ext.trove import conditions, read, resources, send, wait_report
from trove_ext.workflows import new_instance
from trove_ext.workflows.restore import recovery
from trove_ext.workflows.restore.additions import (
    NOTHING,
    differences,
    with_module_ids,
)
from trove_ext.workflows.restore.settings import RestoreOptions, Settings, choose
from trove_ext.workflows.restore.source import find_source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trove_ext.follow_up import Note
    from trove_ext.model.backup import Backup
    from trove_ext.model.backup_forest import BackupForest
    from trove_ext.model.instance import Instance
    from trove_ext.polling import Deadline
    from trove_ext.trove.client import Cloud
    from trove_ext.workflows.restore.additions import Additions
    from trove_ext.workflows.restore.source import Source


class SettingsError(CheckError):
    """Only the settings are wrong; the backup itself may be good."""


@dataclass(frozen=True, slots=True)
class RestoreRequest:
    """What to restore, and the settings of the new instance.

    :ivar backup: name or ID, or what it is chosen by
    :ivar name: of the new instance
    :ivar additions: what it gets beside the data
    :ivar throwaway: the instance exists for minutes: settings with a harmless default
        are not required, and its name is known to be new
    """

    backup: Source | str
    name: str
    options: RestoreOptions
    throwaway: bool = False
    additions: Additions = NOTHING


@dataclass(frozen=True, slots=True)
class RestorePlan:
    """What will be sent, after all checks.

    :ivar path: the backups that the restore reads, from the full backup down to
        ``backup``
    :ivar additions: what it gets beside the data, the modules by their IDs
    :ivar notes: choices that may be unexpected
    :ivar warnings: what the user should check
    :ivar namesakes: IDs of the instances that already have the name
    """

    backup: Backup
    path: tuple[Backup, ...]
    name: str
    settings: Settings
    notes: tuple[Note, ...] = ()
    warnings: tuple[str, ...] = ()
    namesakes: frozenset[str] = frozenset()
    additions: Additions = NOTHING

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of troveclient's ``instances.create``."""
        settings = self.settings
        return {
            "name": self.name,
            "flavor_id": settings.flavor_id,
            "volume": self._volume(),
            "restorePoint": {"backupRef": self.backup.id},
            "availability_zone": settings.availability_zone,
            "datastore": self.backup.datastore,
            "datastore_version": settings.version.reference,
            "nics": settings.nic.body(),
            "configuration": settings.configuration_id,
            "access": new_instance.access(
                is_public=settings.is_public, cidrs=settings.allowed_cidrs
            ),
            **self.additions.arguments(),
        }

    def _volume(self) -> dict[str, Any] | None:
        if self.settings.size is None:
            return None
        volume: dict[str, Any] = {"size": self.settings.size}
        if self.settings.volume_type:
            volume["type"] = self.settings.volume_type
        return volume


def plan(
    cloud: Cloud,
    request: RestoreRequest,
    found: tuple[BackupForest, Backup] | None = None,
) -> RestorePlan:
    """Find everything that a restore needs, and check it; nothing is changed.

    :param found: the backup and its ancestors, if they were read already
    :raises NotFoundError, AmbiguousNameError: there is no such backup or instance, or
        several
    :raises CheckError: lists all problems and everything that is missing
    """
    forest, backup = found or find_source(cloud, request.backup)
    choice = choose(cloud, backup, request.options, throwaway=request.throwaway)
    settings = choice.settings()
    of_backup = tuple(_chain_problems(forest, backup))
    additions, no_module = with_module_ids(cloud, request.additions)
    of_settings = (
        *no_module,
        *choice.problems(),
        *map(str, new_instance.shortages(cloud, settings.needs)),
        *(() if request.throwaway else new_instance.name_problems(request.name)),
    )
    namesakes = () if request.throwaway else _namesakes(cloud, request.name)
    if of_backup or of_settings:
        kind = CheckError if of_backup else SettingsError
        what = f"Backup {backup} can't be restored as {request.name}"
        raise kind(what, (*of_backup, *of_settings))
    return RestorePlan(
        backup,
        forest.path(backup.id),
        request.name,
        settings,
        (*choice.notes(), *_differences(cloud, request, settings)),
        (
            *_chain_warnings(forest, backup),
            *([settings.version.warning] if settings.version.warning else []),
            *map(_namesake_warning, namesakes),
        ),
        frozenset(namesake.id for namesake in namesakes),
        additions,
    )


def _differences(
    cloud: Cloud, request: RestoreRequest, settings: Settings
) -> tuple[Note, ...]:
    """Say what is not taken over, unless the instance exists for minutes only."""
    if request.throwaway:
        return ()
    return tuple(differences(cloud, request.name, settings.origin, request.additions))


def submit(cloud: Cloud, planned: RestorePlan) -> str:
    """Request the new instance, once.

    :returns: its ID, even if only the response was lost
    :raises LostAnswerError: the response was lost and no such instance exists
    """
    arguments = planned.arguments()
    return send.create_instance(
        cloud,
        planned.name,
        lambda: resources.id_of(cloud.client.instances.create(**arguments), "instance"),
        known=planned.namesakes,
    )


def wait(
    cloud: Cloud, instance: Instance, deadline: Deadline
) -> tuple[Instance, TroveExtError | None]:
    """Wait until a restored instance is healthy and has its data, and read it again.

    :returns: the instance as read last, and what went wrong, if anything did: the
        instance in ERROR remains, because Trove rolls nothing back
    """
    target = conditions.settled(cloud, instance, patience=None)
    error = wait_report.error_of(cloud.wait([target], deadline))
    error = error or recovery_error(cloud, instance, deadline)
    try:
        now = read.get_instance(cloud, instance.id)
    except NotFoundError:
        return instance, error
    if isinstance(error, ResourceFailedError):
        delete = Action(Verb.DELETE_INSTANCE, (instance.id,))
        error = ResourceFailedError(
            f"{error}\nThe failed instance still exists and counts towards the quota.",
            follow_ups=[*error.follow_ups, to("delete the failed instance", delete)],
        )
    return now, error


def wait_with_additions(
    cloud: Cloud, planned: RestorePlan, instance: Instance, deadline: Deadline
) -> tuple[Instance, TroveExtError | None]:
    """Do as :func:`wait`, and then wait for the new databases and users too."""
    now, error = wait(cloud, instance, deadline)
    if error is None:
        error = new_instance.contents_error(
            cloud,
            now,
            planned.additions.databases,
            planned.additions.user_names,
            deadline,
        )
    return now, error


def recovery_error(
    cloud: Cloud, instance: Instance, deadline: Deadline
) -> TroveExtError | None:
    """Wait until a HEALTHY restored instance has all of its data.

    On an engine for which HEALTHY does not imply that, a database is created on the
    instance and dropped again.

    :returns: why it has not; None if it has, or if Trove allows no proof of that, which
        is a warning
    """
    engine = cloud.engines.of(instance.datastore)
    if engine.healthy_has_data:
        return None
    try:
        recovery.prove(cloud, instance, engine, deadline)
    except recovery.UnprovedError as exc:
        cloud.progress.warn(
            f"Whether {instance} has all of its data is not known: {exc}."
            + recovery.describe(engine)
        )
    except WaitTimeoutError as exc:
        return WaitTimeoutError(f"Instance {instance} is HEALTHY, but {exc}")
    except TroveExtError as exc:
        return exc
    return None


def _chain_problems(forest: BackupForest, backup: Backup) -> Iterator[str]:
    """Check every backup from this one up to the root."""
    if why := forest.why_not(backup.id):
        yield f"it can't be restored: {why}"
    doubt = forest.doubt(backup.id)
    if doubt is not None and not _has_snapshot(forest, backup):
        yield f"its chain does not fit together: {doubt}"


def _chain_warnings(forest: BackupForest, backup: Backup) -> Iterator[str]:
    """Warn of a replication snapshot, because the restore depends on it."""
    doubt = forest.doubt(backup.id)
    if doubt is not None and _has_snapshot(forest, backup):
        yield f"{doubt} when the replica is built: this restore may fail."


def _has_snapshot(forest: BackupForest, backup: Backup) -> bool:
    return any(link.is_replication_snapshot for link in forest.path(backup.id))


def _namesakes(cloud: Cloud, name: str) -> tuple[Instance, ...]:
    return tuple(other for other in read.list_instances(cloud) if other.name == name)


def _namesake_warning(instance: Instance) -> str:
    """Warn of a name that Trove allows, but that will be ambiguous."""
    return (
        f"{instance} has that name already: from now on only the IDs distinguish them."
    )
