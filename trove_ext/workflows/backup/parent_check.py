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
"""May an incremental build on this backup? Trove itself asks hardly anything.

An explicit parent is checked for existence and ownership only
(``trove/backup/models.py``, ``Backup.create``): with a FAILED one the incremental
FAILS, with one of another instance or version it makes a chain that can't be restored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trove_ext.exceptions import CheckError
from trove_ext.workflows.backup import chains

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trove_ext.model.backup import Backup
    from trove_ext.model.backup_forest import BackupForest
    from trove_ext.model.instance import Instance
    from trove_ext.trove.client import Cloud


def check_parent(cloud: Cloud, instance: Instance, parent: str) -> Backup:
    """Refuse a parent on which no restorable backup can stand.

    :param parent: name or ID
    :returns: the parent
    :raises CheckError: it will not do; lists all that is wrong
    :raises NotFoundError, AmbiguousNameError: there is no such backup, or several
    """
    forest, backup = chains.find_with_ancestors(cloud, parent)
    problems = list(_problems(forest, backup, instance))
    if problems:
        raise CheckError(
            f"No incremental backup of {instance} can build on {backup}", problems
        )
    return backup


def _problems(
    forest: BackupForest, parent: Backup, instance: Instance
) -> Iterator[str]:
    why_not = forest.why_not(parent.id)
    if why_not:
        yield f"it can't be restored itself: {why_not}"
    if parent.instance_id != instance.id:
        yield f"it is a backup of another instance, {parent.instance_id}"
    if None not in {parent.datastore, instance.datastore} and (
        parent.datastore != instance.datastore
    ):
        yield f"it is of datastore {parent.datastore}, not {instance.datastore}"
    if None not in {parent.datastore_version, instance.datastore_version} and (
        parent.datastore_version != instance.datastore_version
    ):
        yield (
            f"it is of datastore version {parent.datastore_version}, "
            f"not {instance.datastore_version}"
        )
    doubt = forest.doubt(parent.id)
    if doubt:
        yield doubt
