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

"""Instances: trove/instance/service.py and trove/instance/models.py."""

from collections.abc import Callable
from typing import Any

from trove_ext.tests.fake import errors, schema, views
from trove_ext.tests.fake.backups import Backups
from trove_ext.tests.fake.cloud import FakeCloud, Steps
from trove_ext.tests.fake.configurations import Configurations
from trove_ext.tests.fake.replication import Replication
from trove_ext.tests.fake.state import (
    BackupState,
    Instance,
    Service,
    Task,
    armed,
)

Answer = tuple[int, Any]
#: AGENT_INVALID_STATUSES: a GET asks the guest in all other states.
AGENT_INVALID = (
    "BUILD",
    "REBOOT",
    "RESIZE",
    "PROMOTE",
    "EJECT",
    "UPGRADE",
    "SHUTDOWN",
)


class Instances:
    """The rules of instances, except their creation and replication."""

    def __init__(
        self, cloud: FakeCloud, backups: Backups, replication: Replication
    ) -> None:
        self.cloud = cloud
        self.backups = backups
        self.replication = replication
        self.groups = Configurations(cloud)
        self._actions: dict[str, Callable[[Instance, Any], None]] = {
            "restart": self._restart,
            "resize": self._resize,
            "promote_to_replica_source": replication.promote,
            "eject_replica_source": replication.eject,
            "reset_status": self._reset_status,
        }

    # Requests

    def index(self, path: str, query: dict[str, str], _body: Any) -> Answer:
        """GET /instances."""
        self.cloud.allow("instance:index")
        return 200, self._page(path, query, views.instance)

    def detail(self, path: str, query: dict[str, str], _body: Any) -> Answer:
        """GET /instances/detail."""
        self.cloud.allow("instance:detail")
        return 200, self._page(path, query, views.detail)

    def _page(self, path: str, query: dict[str, str], view: Any) -> Any:
        """Cut a page in the order of the IDs; newest first within the page.

        Members of clusters are in it only if they are asked for.
        """
        clustered = query.get("include_clustered", "").lower() == "true"
        listed = [
            row for row in self.cloud.live_instances if clustered or not row.cluster_id
        ]
        rows, marker = views.key_page(listed, lambda row: row.id, query)
        rows = sorted(rows, key=lambda row: row.created, reverse=True)
        shown = [view(self.cloud, row) for row in rows]
        return views.page("instances", shown, marker, path, query)

    def everywhere(self, path: str, query: dict[str, str], _body: Any) -> Answer:
        """GET /mgmt/instances: of one project or all, for admins.

        The marker is an offset, and any limit is honoured. `admin_context` raises the
        plain Forbidden, hence 401.
        """
        if not self.cloud.admin:
            raise errors.unauthorized("User does not have admin privileges.")
        own = query.get("project_id") in {None, self.cloud.project_id}
        listed = self.cloud.live_instances if own else []
        limit, start = int(query.get("limit", 20)), int(query.get("marker") or 0)
        newest = sorted(listed, key=lambda row: row.updated, reverse=True)
        rows = newest[start : start + limit]
        marker = start + limit if len(newest[start:]) >= limit else None
        shown = [views.detail(self.cloud, row) for row in rows]
        return 200, views.page("instances", shown, marker, path, query)

    def show(self, _path: str, _query: Any, _body: Any, instance_id: str) -> Answer:
        """GET /instances/ID: asks the guest, and waits for one that is silent."""
        instance = self.cloud.by_id(instance_id)
        view = views.detail(self.cloud, instance)
        if self.cloud.status(instance) not in AGENT_INVALID:
            if instance.off_since is not None or not instance.built:
                self.cloud.clock.advance(self.cloud.timings.agent_call)
            else:
                view["volume"].update(used=0.31, used_percent=6.2)
        self.cloud.allow("instance:show")
        return 200, {"instance": view}

    def ssl(self, _path: str, _query: Any, _body: Any, instance_id: str) -> Answer:
        """GET /instances/ID/ssl."""
        instance = self.cloud.by_id(instance_id)
        self.cloud.allow("instance:show")
        mode = instance.ssl_mode
        status = "on" if mode else "off"
        view: dict[str, Any] = {"status": status, "mode": mode or "builtin"}
        if instance.ssl_expires is not None:
            expires = views.time(instance.ssl_expires)
            view["certificate"] = {"cn": instance.name, "expire_at": expires}
        return 200, {"ssl": view}

    def modules(self, _path: str, _query: Any, _body: Any, instance_id: str) -> Answer:
        """GET /instances/ID/modules: the ID and the name of each."""
        instance = self.cloud.by_id(instance_id)
        rows = [{"id": key, "name": name} for key, name in instance.modules.items()]
        return 200, {"modules": rows}

    def delete(self, _path: str, _query: Any, _body: Any, instance_id: str) -> Answer:
        """DELETE /instances/ID."""
        instance = self.cloud.by_id(instance_id)
        self.cloud.allow("instance:delete")
        ram = self.cloud.flavors[instance.flavor_id].ram
        deltas = {"instances": -1, "ram": -ram, "volumes": -instance.volume_size}
        with self.cloud.blamed(instance_id), self.cloud.charged(deltas):
            if self.cloud.status(instance) == "BUILD":
                raise errors.unprocessable(
                    f"Instance {instance_id} is not ready. (Status is BUILD)."
                )
            if self.cloud.replicas(instance):
                raise errors.forbidden(
                    "Detach replicas before deleting replica source."
                )
            instance.configuration_id = None
            self.cloud.set_task(Task.DELETING, instance)
        self.cloud.start(self._remove(instance))
        return 202, None

    def _remove(self, instance: Instance) -> Steps:
        yield self.cloud.timings.instance_delete
        instance.deleted = True

    def action(self, _path: str, _query: Any, body: Any, instance_id: str) -> Answer:
        """POST /instances/ID/action."""
        if not body:
            # The schema is searched before the check for an empty body.
            raise errors.server_error()
        if "resize" in body:
            schema.check("resize", body, schema.RESIZE)
        known = [name for name in body if name in self._actions]
        reset = "reset_status" in body
        find = self.cloud.by_id if reset else self.cloud.built
        instance = find(instance_id)
        if not known:
            raise errors.server_error()
        self._actions[known[-1]](instance, body[known[-1]])
        return 202, None

    def update(self, _path: str, _query: Any, body: Any, instance_id: str) -> Answer:
        """PUT or PATCH /instances/ID; an empty body detaches the configuration."""
        data = schema.check("instance", body, schema.UPDATE)
        if len(data) >= (3 if data.get("name") else 2):
            raise errors.bad_request(
                "Only one attribute (except 'name') is allowed to update."
            )
        instance = self.cloud.built(instance_id)
        self.cloud.allow("instance:update")
        if data.get("name"):
            instance.name = data["name"]
        if "replica_of" in data or "slave_of" in data:
            self.replication.detach(instance)
        if "configuration" in data or not data:
            self._configure(instance, data.get("configuration"))
        elif self.cloud.older_update:
            self._lose_configuration(instance)
        if "datastore_version" in data:
            self._upgrade(instance, data["datastore_version"])
        if "access" in data:
            self.cloud.set_task(Task.UPDATING, instance)
            self.cloud.start(self._change_access(instance, data["access"]))
        return 202, None

    def manage(self, _path: str, _query: Any, body: Any, instance_id: str) -> Answer:
        """POST /mgmt/instances/ID/action: reboot, rebuild, for admins.

        `admin_context` raises the plain Forbidden, hence 401.
        """
        if not self.cloud.admin:
            raise errors.unauthorized("User does not have admin privileges.")
        instance = self.cloud.by_id(instance_id)
        if "reboot" in body:
            self.cloud.set_task(Task.REBOOTING, instance)
            instance.service = Service.RESTARTING
            self.cloud.start(self._restarting(instance))
        elif "rebuild" in body:
            self.cloud.set_task(Task.BUILDING, instance)
            self.cloud.start(self._rebuilding(instance))
        elif "reset-task-status" in body:
            self.cloud.set_task(Task.NONE, instance)
            self._fail_backups(instance)
        else:
            raise errors.bad_request(f"Invalid instance action: {next(iter(body))}")
        return 202, None

    # Actions

    def _restart(self, instance: Instance, _data: Any) -> None:
        self.cloud.allow("instance:restart")
        with self.cloud.blamed(instance.id):
            self.cloud.ready(instance)
        self.cloud.set_task(Task.REBOOTING, instance)
        instance.service = Service.RESTARTING
        self.cloud.start(self._restarting(instance))

    def _restarting(self, instance: Instance) -> Steps:
        """The guest reports HEALTHY before the task ends."""
        yield self.cloud.timings.restart
        instance.database_running = True
        instance.settings = dict(instance.overrides)
        # read_only was a SET GLOBAL: a restart forgets it.
        instance.read_only = instance.replica_of is not None
        self.cloud.beat(instance)
        self.cloud.set_task(Task.NONE, instance)

    def _rebuilding(self, instance: Instance) -> Steps:
        yield self.cloud.timings.rebuild
        yield from self.cloud.finish(instance)

    def _resize(self, instance: Instance, data: Any) -> None:
        if "volume" in data:
            self.cloud.allow("instance:resize_volume")
            with self.cloud.blamed(instance.id):
                self._resize_volume(instance, int(data["volume"]["size"]))
        else:
            self.cloud.allow("instance:resize_flavor")
            with self.cloud.blamed(instance.id):
                self._resize_flavor(instance, str(data["flavorRef"]).split("/")[-1])

    def _resize_flavor(self, instance: Instance, flavor_id: str) -> None:
        self.cloud.ready(instance)
        if instance.flavor_id == flavor_id:
            raise errors.bad_request(
                "The new flavor id must be different than the current flavor id "
                f"of '{flavor_id}'."
            )
        if flavor_id not in self.cloud.flavors:
            # FlavorNotFound is a plain TroveError, thus 400.
            raise errors.bad_request(f"Resource {flavor_id} cannot be found.")
        more = self.cloud.flavors[flavor_id].ram
        less = self.cloud.flavors[instance.flavor_id].ram
        with self.cloud.charged({"ram": more - less}):
            self.cloud.set_task(Task.RESIZING, instance)
        self.cloud.start(self._resizing(instance, {"flavor_id": flavor_id}))

    def _resize_volume(self, instance: Instance, size: int) -> None:
        if size <= instance.volume_size:
            raise errors.bad_request(
                "The new volume 'size' must be larger than the current volume size "
                f"of '{instance.volume_size}'."
            )
        self._check_volume(size)
        self.cloud.ready(instance)
        members = [instance, *self.cloud.replicas(instance)]
        for member in members[1:]:
            self.cloud.ready(member)
        more = size - instance.volume_size
        for member in members:
            with self.cloud.charged({"volumes": more}):
                self.cloud.set_task(Task.RESIZING, member)
            self.cloud.start(self._resizing(member, {"volume_size": size}))

    def _check_volume(self, size: int) -> None:
        if size > self.cloud.max_volume_size:
            raise errors.over_limit(
                "Volume 'size' cannot exceed maximum of "
                f"{self.cloud.max_volume_size} GB, {size} cannot be accepted."
            )

    def _resizing(self, instance: Instance, new: dict[str, Any]) -> Steps:
        """Set the new values at the end; a failure keeps the old ones, and ACTIVE."""
        yield self.cloud.timings.resize
        failure = armed(self.cloud.knobs.resize, instance)
        if failure is None:
            for name, value in new.items():
                setattr(instance, name, value)
        else:
            self.cloud.blame(instance, failure)
        yield from self.cloud.finish(instance)

    def _upgrade(self, instance: Instance, key: str) -> None:
        """Store the new version before anything is done; the state is not checked."""
        store = self.cloud.versions[instance.version_id].datastore
        found = [
            v
            for v in self.cloud.versions.values()
            if v.datastore == store and key in (v.id, v.name)
        ]
        if not found:
            # DatastoreVersionNotFound is not in the map of codes, thus 400.
            raise errors.bad_request(f"Datastore version '{key}' cannot be found.")
        instance.version_id = found[0].id
        self.cloud.set_task(Task.UPGRADING, instance)
        self.cloud.start(self._upgrading(instance))

    def _upgrading(self, instance: Instance) -> Steps:
        """`BuiltInstanceTasks.upgrade`: a failure is an ERROR without a fault."""
        instance.service = Service.UPGRADING
        yield self.cloud.timings.upgrade
        if armed(self.cloud.knobs.upgrade, instance) is not None:
            self.cloud.set_task(Task.BUILDING_ERROR_SERVER, instance)
        else:
            self.cloud.beat(instance)
            yield from self.cloud.finish(instance)

    def _change_access(self, instance: Instance, access: dict[str, Any]) -> Steps:
        yield self.cloud.timings.access
        instance.access = access
        self.cloud.set_task(Task.NONE, instance)

    def _configure(self, instance: Instance, group_id: str | None) -> None:
        """Attach or detach a configuration group, on the replicas too."""
        members = [instance, *self.cloud.replicas(instance)]
        if group_id is None and instance.configuration_id is None:
            return
        for member in members:
            self._can_configure(member)
        if group_id is None:
            gone = instance.configuration_id or ""
            group = self.cloud.configurations.get(gone)
            for member in [m for m in members if m.configuration_id == gone]:
                with self.cloud.blamed(member.id):
                    self.groups.detach(member, group)
            return
        for member in self._unconfigured(members, group_id):
            with self.cloud.blamed(member.id):
                self.groups.attach(member, self.cloud.configurations[group_id])

    def _lose_configuration(self, instance: Instance) -> None:
        """Remove the group if the request does not name it (`older_update`).

        On a replica that was a source before, Trove reads the task that the same
        request has just stored, refuses, and continues the detach.
        """
        with self.cloud.blamed(instance.id):
            if instance.configuration_id and instance.was_source:
                self._can_configure(instance)
        instance.configuration_id = None

    def _unconfigured(self, members: list[Instance], group_id: str) -> list[Instance]:
        if group_id not in self.cloud.configurations:
            raise errors.missing(
                f"Configuration group id: {group_id} could not be found."
            )
        if members[0].configuration_id:
            raise errors.bad_request(
                f"Instance {members[0].id} already has a Configuration Group attached: "
                f"{members[0].configuration_id}."
            )
        return [m for m in members if not m.configuration_id]

    def _can_configure(self, member: Instance) -> None:
        if member.task is not Task.NONE:
            raise errors.bad_request(
                "The operation you have requested cannot be executed because the "
                f"instance status is currently: {member.task.action}."
            )

    def _reset_status(self, instance: Instance, _data: Any) -> None:
        """Clear the task; the next heartbeat reports the state of the guest."""
        forced = "force_delete" in (_data or {})
        self.cloud.allow(f"instance:{'force_delete' if forced else 'reset_status'}")
        self.cloud.set_task(Task.NONE, instance)
        instance.server_status = "ACTIVE"
        instance.service = Service.UNKNOWN
        self._fail_backups(instance)
        self.cloud.start(self._revive(instance))

    def _revive(self, instance: Instance) -> Steps:
        yield self.cloud.timings.heartbeat
        self.cloud.beat(instance)

    def _fail_backups(self, instance: Instance) -> None:
        for backup in self.cloud.live_backups:
            if backup.instance_id == instance.id and backup.state.is_running:
                self.backups.set_state(backup, BackupState.FAILED)
