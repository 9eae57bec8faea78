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
"""The preview of a delete on stderr, and the prompt before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trove_ext.exceptions import TroveExtError
from trove_ext.osc.base import confirm
from trove_ext.osc.base.columns import branches
from trove_ext.osc.base.escape import count
from trove_ext.trove import read
from trove_ext.workflows.backup import delete, engine_rules

if TYPE_CHECKING:
    from collections.abc import Collection

    from cliff.app import App

    from trove_ext.model.backup_forest import BackupForest
    from trove_ext.trove.client import Cloud
    from trove_ext.workflows.backup.delete import DeletePlan


def announce(
    app: App, cloud: Cloud, plan: DeletePlan, *, yes: bool, always: bool = False
) -> None:
    """List what is deleted; prompt at a terminal, warn elsewhere.

    :param always: list and prompt even if there is no dependent backup
    :raises NotConfirmedError: the answer was no
    :raises CheckError: the backups have changed since they were listed
    """
    warn_of_next(cloud, plan.forest, {backup.id for backup in plan.going})
    if not plan.dependents and not always:
        return
    asks = confirm.at_terminal(app) and not yes
    going = "\n".join([_headline(plan), *_tree(plan)])
    if not asks:
        quietly = yes or not plan.dependents
        (cloud.progress.note if quietly else cloud.progress.warn)(going)
    if plan.instances_left_without_backup:
        names = (_instance(cloud, key) for key in plan.instances_left_without_backup)
        cloud.progress.warn(
            f"This leaves no restorable backup of instance {', '.join(names)}."
        )
    if asks:
        confirm.ask(app, f"Delete {count(len(plan.going), 'backup')}?", going)
        delete.check_unchanged(cloud, plan)


def warn_of_next(cloud: Cloud, forest: BackupForest, deleted: Collection[str]) -> None:
    """Warn if the next backup of an instance has to be a full one after a delete."""
    for text in engine_rules.next_is_full(forest, deleted, cloud.engines.look):
        cloud.progress.warn(text)


def _instance(cloud: Cloud, instance_id: str) -> str:
    """Name an instance, which may be gone."""
    try:
        return str(read.get_instance(cloud, instance_id))
    except TroveExtError:
        return instance_id


def _headline(plan: DeletePlan) -> str:
    named = ", ".join(map(str, plan.named))
    if not plan.dependents:
        return f"This will delete {named}:"
    dependents = count(len(plan.dependents), "dependent backup")
    return f"This will delete {named} and {dependents}:"


def _tree(plan: DeletePlan) -> list[str]:
    """Draw what is deleted; backups without a deleted ancestor are at the margin."""
    return [
        f"  {branch}{backup}  {backup.status}  {backup.created:%Y-%m-%d %H:%M:%S} UTC"
        for backup, branch in zip(plan.going, branches(plan.depths), strict=True)
    ]
