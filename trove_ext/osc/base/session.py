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

"""From the ``openstack`` application to a :class:`~trove_ext.trove.client.Cloud`."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from trove_ext import polling
from trove_ext.exceptions import LoginError, ServiceError
from trove_ext.osc.base import progress
from trove_ext.osc.hooks import upstream
from trove_ext.trove import errors
from trove_ext.trove.client import Cloud
from trove_ext.trove.limits import REQUEST_TIMEOUT

if TYPE_CHECKING:
    from cliff.app import App
    from cliff.command import Command

#: Global options that select a cloud; repeated in follow-up commands.
CLOUD_OPTIONS = ("--os-cloud", "--os-region-name", "--os-project-name")


def limit_requests(app: App) -> None:
    """Give every request of this process a read time-out, Keystone's included."""
    upstream.limit_requests(app, REQUEST_TIMEOUT)


def log_in(app: App, command: Command) -> None:
    """Log in for a command that does so itself, to report in its own way if it fails.

    :raises LoginError: wrong credentials, or settings with which nobody can log in
    :raises UnreachableError: Keystone does not answer
    """
    from keystoneauth1 import exceptions as ksa

    try:
        upstream.log_in(app, command)
    except (ksa.HttpError, ksa.ConnectionError, ksa.DiscoveryFailure) as exc:
        raise errors.translate(exc, "Log-in", changing=False) from exc
    except Exception as exc:
        raise LoginError(f"Log-in: {exc}") from exc


def make_cloud(app: App, *, quiet: bool = False, engine: str | None = None) -> Cloud:
    """Return the cloud that the user has logged in to.

    :param quiet: show no progress, as with ``openstack -q``
    :param engine: the engine of its instances, if the user names it
    :raises ServiceError: the service catalog has no database endpoint
    """
    from keystoneauth1 import exceptions as ksa
    from troveclient import exceptions as trove

    manager: Any = app.client_manager  # type: ignore[attr-defined]
    try:
        client = manager.database
    except (ksa.CatalogException, trove.EndpointNotFound) as exc:
        region = manager.region_name
        where = f" in region {region}" if region else ""
        raise ServiceError(
            f"The service catalog has no database endpoint{where}: does this cloud "
            "offer Trove, and is the region right?"
        ) from exc
    clock = polling.SystemClock()
    quiet = quiet or app.options.verbose_level == 0
    return Cloud(
        client,
        clock=clock,
        progress=progress.make(
            app.stderr,
            clock,
            quiet=quiet,
            prefix=openstack_command(app),
        ),
        engine=engine,
    )


def openstack_command(app: App) -> str:
    """Return how this process was started, as far as a follow-up command needs it."""
    argv = upstream.typed_words(app)
    words = ["openstack"]
    for index, word in enumerate(argv):
        name, equals, value = word.partition("=")
        if name in CLOUD_OPTIONS and equals:
            words += [name, value]
        elif word in CLOUD_OPTIONS and index + 1 < len(argv):
            words += [word, argv[index + 1]]
    return shlex.join(words)


def labels(app: App, cloud: Cloud) -> dict[str, str]:
    """Return what a metric is labelled with, whatever it is of: region and project."""
    manager: Any = app.client_manager  # type: ignore[attr-defined]
    return {
        "region": manager.region_name or "",
        "tenant_id": cloud.client.client.get_project_id() or "",
    }
