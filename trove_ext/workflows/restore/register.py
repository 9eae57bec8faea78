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

"""Register a backup with the Trove of another region over the same object store.

Trove stores a record that names the object (``trove/backup/models.py``,
``Backup.create``, ``restore_from``); no data is copied. A delete of either record
deletes the object of both.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from trove_ext.exceptions import CheckError, NotFoundError, ServiceError
from trove_ext.follow_up import Problem, Setting, add
from trove_ext.trove import catalog, read, regions, resources, send
from trove_ext.workflows.restore.source import Source, find_source
from trove_ext.workflows.restore.version import choose_version

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trove_ext.model.backup import Backup
    from trove_ext.model.backup_forest import BackupForest
    from trove_ext.trove.client import Cloud


#: ``T:backup/models.py``, ``Backup.create``: it does not strip the quotes there.
QUOTED = (
    "If the store has the ETag of the object in quotes, as Swift for one of more than "
    "2 GiB, Trove fails with 500: its database has no room for them."
)


@dataclass(frozen=True, slots=True)
class RegisterRequest:
    """What to register, and where.

    :ivar region: name of the other region
    :ivar name: of the record there; None for the name of the backup
    :ivar datastore_version: name or ID in the other region; None for the version of
        that name
    :ivar one_store: both regions have the same object store, although the catalog names
        two
    """

    source: Source | str
    region: str
    name: str | None = None
    datastore_version: str | None = None
    one_store: bool = False


@dataclass(frozen=True, slots=True)
class RegisterPlan:
    """A registration that passed its checks.

    :ivar backup: in this region
    :ivar there: the other region
    :ivar version_id: of the datastore version there
    :ivar listed: the backups that are there already
    """

    request: RegisterRequest
    backup: Backup
    there: Cloud
    version_id: str
    listed: tuple[Backup, ...]

    @property
    def name(self) -> str:
        """The name of the record."""
        return self.request.name or self.backup.name

    @property
    def present(self) -> Backup | None:
        """The record, if an earlier run has made it."""
        return next(
            (each for each in self.listed if each.location == self.backup.location),
            None,
        )


def check(cloud: Cloud, request: RegisterRequest) -> RegisterPlan:
    """Check both regions; report all problems.

    :raises NotFoundError, AmbiguousNameError: there is no such backup, or several
    :raises CheckError: something is wrong; nothing was changed
    """
    forest, backup = find_source(cloud, request.source)
    problems: list[str | Problem] = [*_unfit(forest, backup)]
    there, version_id = None, None
    if request.region == regions.region_of(cloud):
        problems.append(f"it is a backup of region {request.region}")
    else:
        problems += _stores_apart(cloud, request)
        try:
            there = regions.in_region(cloud, request.region)
        except NotFoundError as exc:
            problems.append(str(exc))
    if there is not None:
        version_id, more = _version(there, request, backup)
        problems += more
    if problems or there is None or version_id is None:
        text = f"Can't register {backup} in region {request.region}"
        raise CheckError(text, problems)
    listed = tuple(read.list_backups(there))
    return RegisterPlan(request, backup, there, version_id, listed)


def execute(plan: RegisterPlan) -> Backup:
    """Send the record once, unless it is there; return it.

    :raises RefusedError: Trove refuses it; nothing was changed
    :raises LostAnswerError: the response was lost and no such record exists
    """
    if plan.present is not None:
        return plan.present
    there, backup = plan.there, plan.backup

    def post() -> str:
        made = there.client.backups.create(
            plan.name,
            None,
            restore_from=backup.location,
            restore_ds_version=plan.version_id,
            restore_size=backup.size,
        )
        return resources.id_of(made, "backup")

    known = frozenset(each.id for each in plan.listed)
    try:
        made = send.create_backup(there, plan.name, None, post, known=known)
    except ServiceError as exc:
        raise exc.extended(
            f"Trove of region {plan.request.region} looks for {backup.location} in its "
            f"own object store. {QUOTED}"
        ) from exc
    return read.get_backup(there, made)


def _unfit(forest: BackupForest, backup: Backup) -> Iterator[str]:
    """Yield what keeps a backup from being used in another region at all."""
    if why := forest.why_not(backup.id):
        yield f"it can't be restored: {why}"
    if backup.is_volume_snapshot:
        yield "it is a volume snapshot, which exists in its region only"
    elif backup.parent_id is not None:
        root = forest.root(backup.id)
        yield (
            "it is an incremental backup, and its parents would not be there; register "
            f"a full one: that of its chain is {root}"
        )
    elif backup.is_completed and (backup.location is None or backup.size is None):
        yield "Trove reports no location or no size of it"


def _stores_apart(cloud: Cloud, request: RegisterRequest) -> Iterator[Problem]:
    """Yield that the regions have object stores of their own, as the catalog says."""
    stores = regions.endpoints(cloud, regions.OBJECT_STORE)
    here = stores.get(regions.region_of(cloud) or "")
    there = stores.get(request.region)
    if request.one_store or not (here and there) or here == there:
        return
    yield Problem(
        f"the regions have object stores of their own, {here} and {there}, and no data "
        "is copied",
        (
            add(
                "register it nevertheless, if both are the same store",
                Setting.ONE_STORE,
            ),
        ),
    )


def _version(
    there: Cloud, request: RegisterRequest, backup: Backup
) -> tuple[str | None, list[str | Problem]]:
    """Return the ID of the datastore version in the other region."""
    # Its ID is that of this region.
    foreign = replace(backup, datastore_version_id=None)
    choice = choose_version(there, foreign, request.datastore_version, force=False)
    if choice.problems:
        return None, [*choice.problems]
    for text in filter(None, (choice.note, choice.warning)):
        there.progress.warn(text)
    if choice.id is not None:
        return choice.id, []
    listed, _ = catalog.list_versions(there, str(backup.datastore))
    ids = [version.id for version in listed if version.name == choice.name]
    if ids:
        return ids[0], []
    return None, [f"there is no version {choice.name} of {backup.datastore} there"]
