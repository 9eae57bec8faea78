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
"""What goes along with a delete, told and asked on stderr."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trove_ext.exceptions import TroveExtError
from trove_ext.osc.base import confirm
from trove_ext.osc.base.columns import branches
from trove_ext.osc.base.escape import count
from trove_ext.trove import read
from trove_ext.workflows.backup import delete

if TYPE_CHECKING:
    from cliff.app import App

    from trove_ext.trove.client import Cloud
    from trove_ext.workflows.backup.delete import DeletePlan


def announce(
    app: App, cloud: Cloud, plan: DeletePlan, *, yes: bool, always: bool = False
) -> None:
    """List what goes along; ask at a terminal, warn elsewhere.

    :param always: list and ask too where nothing goes but what was named
    :raises NotConfirmedError: the answer was no
    :raises CheckError: more would go by now than was listed
    """
    if not plan.along and not always:
        return
    asks = confirm.at_terminal(app) and not yes
    going = "\n".join([_headline(plan), *_tree(plan)])
    if not asks:
        quietly = yes or not plan.along
        (cloud.progress.note if quietly else cloud.progress.warn)(going)
    if plan.instances_left_without_backup:
        names = (_instance(cloud, one) for one in plan.instances_left_without_backup)
        cloud.progress.warn(
            f"No restorable backup is left then of instance {', '.join(names)}."
        )
    if asks:
        confirm.ask(app, f"Delete {count(len(plan.going), 'backup')}?", going)
        delete.check_unchanged(cloud, plan)


def _instance(cloud: Cloud, instance_id: str) -> str:
    """Name an instance, which may be gone."""
    try:
        return str(read.get_instance(cloud, instance_id))
    except TroveExtError:
        return instance_id


def _headline(plan: DeletePlan) -> str:
    named = ", ".join(map(str, plan.named))
    if not plan.along:
        return f"This deletes {named}:"
    return f"This deletes {named} and {count(len(plan.along), 'backup')} hanging on it:"


def _tree(plan: DeletePlan) -> list[str]:
    """Draw what goes; where an upper part stays, its rest stands at the margin."""
    going = {one.id for one in plan.going}
    depths = [
        sum(above.id in going for above in plan.forest.path(one.id)) - 1
        for one in plan.going
    ]
    return [
        f"  {branch}{one}  {one.status}  {one.created:%Y-%m-%d %H:%M:%S} UTC"
        for one, branch in zip(plan.going, branches(depths), strict=True)
    ]
