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

"""Rehearse an upgrade on the temporary instance of a verification.

Trove stores the new version before anything is done, and rolls nothing back
(``trove/instance/models.py``, ``Instance.upgrade``; ``trove/taskmanager/models.py``,
``BuiltInstanceTasks.upgrade``): an upgrade that fails leaves the instance in ERROR. Its
guest refuses another major version (``prevent_major_version_upgrade`` in
``trove/guestagent/common/guestagent_utils.py``), but Trove casts the upgrade
(``trove/guestagent/api.py``), and reports the instance, whose database still runs the
old version, as ACTIVE and HEALTHY with the new one. So that is refused here.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from trove_ext.exceptions import ResourceFailedError, WaitTimeoutError
from trove_ext.follow_up import Problem
from trove_ext.model import versions
from trove_ext.model.versions import Fit
from trove_ext.trove import catalog, conditions, read, send

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trove_ext.model.backup import Backup
    from trove_ext.model.instance import Instance
    from trove_ext.polling import Deadline
    from trove_ext.trove.catalog import Version
    from trove_ext.trove.client import Cloud
    from trove_ext.workflows.restore.version import VersionChoice


#: The guest agent refuses an upgrade between such versions.
MAJOR = frozenset({Fit.MAJOR, Fit.UNREADABLE})


def find(
    cloud: Cloud, backup: Backup, wanted: str, restored: VersionChoice | None
) -> Version | Problem:
    """Find the version to upgrade to, by ID or else by name.

    :param restored: the version of the temporary instance; None if it is not known
    :returns: what is wrong if it can't be used; Trove would accept an older one
    """
    listed, _complete = catalog.list_versions(cloud, str(backup.datastore))
    by_id = [version for version in listed if version.id == wanted]
    found = by_id or [version for version in listed if version.name == wanted]
    if not found:
        names = ", ".join(version.name for version in listed)
        return Problem(
            f"datastore {backup.datastore} has no version {wanted} to upgrade to; it "
            f"has: {names or 'none'}"
        )
    if len(found) > 1:
        ids = ", ".join(version.id for version in found)
        return Problem(
            f"datastore {backup.datastore} has several versions named {wanted}; give "
            f"the ID of one: {ids}"
        )
    why = _why_not(cloud, backup, restored, found[0], listed) if restored else None
    return Problem(why) if why else found[0]


def _why_not(
    cloud: Cloud,
    backup: Backup,
    restored: VersionChoice,
    version: Version,
    listed: Sequence[Version],
) -> str | None:
    """Say why an upgrade of what is restored with one version to another is none."""
    if version.id == restored.id or version.name == restored.name:
        return f"it is restored with version {version.name} already"
    numbers = (each.number for each in listed if each.id == restored.id)
    before = next(numbers, None) or restored.name
    after = version.number or version.name
    engine = cloud.engines.of(backup.datastore)
    fit = versions.fit(before, after, engine)
    if fit in MAJOR:
        return _is_major(version.name, restored.name)
    if fit is Fit.OLDER:
        return f"{version.name} is older than version {restored.name}"
    return None


def why_not_upgraded(cloud: Cloud, instance: Instance, wanted: str) -> str | None:
    """Say why an upgrade that Trove accepts would not be one; None if it may be one.

    :param wanted: name or ID of the version; Trove refuses one that does not exist
    """
    listed, _complete = catalog.list_versions(cloud, str(instance.datastore))
    runs = instance.datastore_version
    found = [version for version in listed if wanted in {version.id, version.name}]
    before = next((each.number for each in listed if each.name == runs), None) or runs
    engine = cloud.engines.of(instance.datastore)
    for version in found:
        after = version.number or version.name
        if versions.fit(before, after, engine) in MAJOR:
            return _is_major(version.name, runs)
    return None


def _is_major(wanted: str, runs: str | None) -> str:
    return (
        f"{wanted} is another major version than {runs}: Trove's guest agent refuses "
        "such an upgrade, and Trove reports it as done"
    )


def run(
    cloud: Cloud, before: Instance, version: Version, deadline: Deadline
) -> Instance:
    """Upgrade an instance, wait until it is HEALTHY again, and read it.

    :raises ResourceFailedError: it did not become HEALTHY
    :raises WaitTimeoutError: the time is over
    """
    upgrade = partial(cloud.client.instances.upgrade, before.id, version.id)
    send.act(cloud, f"upgrade of {before}", before, upgrade)
    target = conditions.settled(cloud, before, patience=None)
    (outcome,) = cloud.wait([target], deadline)
    what = f"the upgrade to {version.name}"
    if outcome.timed_out:
        raise WaitTimeoutError(
            f"{what} is still {outcome.state} after {outcome.elapsed:.0f} s"
        )
    if not outcome.ok:
        reason = outcome.reading.reason if outcome.reading else "no reason is known"
        raise ResourceFailedError(f"{what} failed, {outcome.state}: {reason}")
    return read.get_instance(cloud, before.id)
