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

"""What differs between the releases of Trove that the sandbox runs: 2023.1 and later.

To be used in Trove's process.
"""

import copy
import inspect
from collections.abc import Mapping
from typing import Any


def configure_database() -> None:
    """Open Trove's database.

    Up to 2024.2 (Trove 22) ``configure_db`` takes the configuration
    (trove/db/sqlalchemy/api.py).
    """
    from trove.common import cfg
    from trove.db import get_db_api

    configure = get_db_api().configure_db
    takes_options = "options" in inspect.signature(configure).parameters
    configure(*([cfg.CONF] if takes_options else []))


def manager_of(instance_id: str) -> str:
    """Return the manager of an instance's datastore: ``mariadb``.

    Trove 26 gives it to Nova as a tag, an older one in the files of the guest only.
    """
    from trove.datastore import models as datastores
    from trove.instance import models as instances

    version_id = instances.DBInstance.find_by(id=instance_id).datastore_version_id
    manager: str = datastores.DatastoreVersion.load_by_uuid(version_id).manager
    return manager


def swift_url(context: Any, backup_info: Mapping[str, Any]) -> str:
    """Return the URL of the account in Swift that a guest stores a backup in.

    Trove 26 gives it to the guest, which before that asks Keystone for it
    (``backup_info`` in trove/taskmanager/models.py).
    """
    from trove.common import cfg

    return backup_info.get("swift_url") or f"{cfg.CONF.swift_url}{context.project_id}"


def copy_messages(transport: Any) -> None:
    """Give each receiver its own copy of a message, as any broker does.

    ``fake:/`` passes the objects of the sender. Trove's notifications are in each
    message twice, and reading one removes the name of the class from the other
    (trove/common/serializable_notification.py), so faults get lost.
    """
    driver = transport._driver  # noqa: SLF001 - the transport has no name for it
    send = driver.send

    def send_copies(target: Any, context: Any, message: Any, **more: Any) -> Any:
        return send(target, copy.deepcopy(context), copy.deepcopy(message), **more)

    driver.send = send_copies
