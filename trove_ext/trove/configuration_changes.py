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

"""Changes of configuration groups, and what they do to the instances that have them.

Trove carries out each of these requests before it responds: it asks the guest agents
one after the other (``trove/configuration/service.py``, ``_refresh_on_all_instances``;
``trove/instance/service.py``, ``_modify_instance``). A change of a group also ends
whatever task its instances have, an error too (``trove/instance/models.py``,
``update_configuration``).
"""

from __future__ import annotations

import http
import json
from functools import partial
from typing import TYPE_CHECKING, Any

from trove_ext.exceptions import LostAnswerError, NotFoundError, RefusedError
from trove_ext.follow_up import Action, Verb
from trove_ext.trove import configuration_groups, pages, tls
from trove_ext.trove.client import is_refusal
from trove_ext.trove.configuration_groups import Group
from trove_ext.trove.resources import id_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from trove_ext.model.instance import Instance
    from trove_ext.trove.client import Cloud


def create(cloud: Cloud, name: str, values: Mapping[str, Any], like: Instance) -> Group:
    """Create a group for the datastore version of an instance, once.

    :param name: one that no other group has: a group whose response was lost is found
        by it
    :raises RefusedError: Trove refuses it; nothing was created
    :raises LostAnswerError: the response was lost and no such group exists
    """
    manager = cloud.client.configurations
    what = f"creation of configuration group {name}"
    try:
        return cloud.change(
            what,
            lambda: Group.of(
                manager.create(
                    name,
                    json.dumps(values),
                    datastore=like.datastore,
                    datastore_version=like.datastore_version,
                    datastore_version_number=like.version_number,
                )
            ),
            shown_by=Action(Verb.SHOW_INSTANCE, (like.id,)),
        )
    except LostAnswerError:
        for group in configuration_groups.list_groups(cloud):
            if group.name == name:
                return group
        raise


def set_values(cloud: Cloud, group: Group, values: Mapping[str, Any]) -> None:
    """Change some values (PATCH), at once on every instance of the group.

    :raises ServiceError: an instance could not be reached; those that Trove asked
        before it have the new values
    """
    manager = cloud.client.configurations
    body = json.dumps(values)
    what = f"change of configuration group {group.name}"
    _twice(cloud, what, partial(manager.edit, group.id, body))


def replace_values(cloud: Cloud, group: Group, values: Mapping[str, Any]) -> None:
    """Replace all values (PUT), at once on every instance of the group.

    A value that the group no longer has keeps its effect until the group is detached
    (``trove/guestagent/common/configuration.py``, ``ImportOverrideStrategy.apply``).
    """
    manager = cloud.client.configurations
    body = json.dumps(dict(values))
    what = f"replacement of the values of configuration group {group.name}"
    send = partial(manager.update, group.id, body)
    _twice(cloud, what, send)
    now = configuration_groups.get_group(cloud, group.id)
    if now.values != dict(values):
        # A proxy has responded in Trove's place; Trove stores them before it responds.
        _twice(cloud, what, send)


def attach(cloud: Cloud, instance: Instance, group: Group) -> None:
    """Attach a group to an instance, and to its replicas that have none.

    :raises ServiceError: it failed, maybe on a replica after it was done on the source
    """
    manager = cloud.client.instances
    cloud.change(
        f"attach of configuration group {group.name} to {instance}",
        lambda: manager.update(instance.id, configuration=group.id),
        shown_by=Action(Verb.SHOW_INSTANCE, (instance.id,)),
    )


def detach(cloud: Cloud, instance: Instance) -> None:
    """Detach the group of an instance, and of its replicas that have the same."""
    manager = cloud.client.instances
    what = f"detach of the configuration group of {instance}"
    _twice(cloud, what, partial(manager.update, instance.id, remove_configuration=True))


def delete(cloud: Cloud, group: Group) -> None:
    """Delete a group that no instance has; one that is gone counts as deleted."""
    manager = cloud.client.configurations
    try:
        what = f"delete of configuration group {group.name}"
        _twice(cloud, what, partial(manager.delete, group.id))
    except NotFoundError:
        return


def users(cloud: Cloud, group: Group) -> frozenset[str]:
    """Return the IDs of the instances that have a group, page by page."""
    read = partial(cloud.client.configurations.instances, group.id)
    what = f"Instances of configuration group {group.name}"
    rows = pages.read_pages(cloud, what, read)
    return frozenset(id_of(row, "instance") for row in rows)


def needing_restart(cloud: Cloud, like: Instance) -> frozenset[str]:
    """Return the parameters of a datastore version whose change needs a restart."""
    manager = cloud.client.configuration_parameters
    rows = cloud.read(
        f"Parameters of {like.datastore} {like.datastore_version}",
        lambda: manager.parameters(like.datastore, like.datastore_version),
    )
    return frozenset(row.name for row in rows if row.restart_required)


def has_tls(cloud: Cloud, instance: Instance) -> bool:
    """Return whether a certificate of the user is on an instance.

    Trove before 26 has none, and no such request. A refusal for another reason counts
    as a yes, because a detach would remove the setting.
    """
    try:
        found = tls.ask_for_tls(cloud, instance)
    except NotFoundError:
        return False
    except RefusedError as exc:
        return not is_refusal(exc, http.HTTPStatus.NOT_FOUND)
    return found is not None and found.is_chosen


def _twice(cloud: Cloud, what: str, call: Callable[[], object]) -> None:
    """Send a change that can be repeated; once more if its response was lost."""
    try:
        cloud.change(what, call)
    except LostAnswerError as lost:
        cloud.progress.warn(f"{lost}. Sending it again.")
        cloud.change(what, call)
