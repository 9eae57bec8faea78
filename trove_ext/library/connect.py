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

"""Log in to a cloud, by its name, a session or a connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trove_ext.exceptions import ConfigError, ServiceError
from trove_ext.library.connection import Connection
from trove_ext.library.events import Reporter
from trove_ext.model.engine import ENGINES
from trove_ext.trove import errors, upstream
from trove_ext.trove.client import Cloud
from trove_ext.trove.limits import REQUEST_TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Callable

    from keystoneauth1.session import Session
    from openstack import connection as sdk

    from trove_ext.library.events import Event
    from trove_ext.polling import Clock

SERVICE_TYPE = "database"
INTERFACE = "public"


def connect(
    cloud: str | None = None,
    *,
    session: Session | None = None,
    connection: sdk.Connection | None = None,
    region_name: str | None = None,
    interface: str | None = None,
    engine: str | None = None,
    progress: Callable[[Event], object] | None = None,
    clock: Clock | None = None,
) -> Connection:
    """Log in and return a connection with a method for each job.

    Give one of ``cloud``, ``session`` and ``connection``. Without any, the environment
    is used (``OS_CLOUD`` or the other ``OS_*`` variables), as for
    ``openstack.connect()``.

    :param cloud: the name of a cloud in ``clouds.yaml``
    :param session: a keystoneauth session with an auth plugin
    :param connection: a connection of openstacksdk
    :param region_name: the region; default: that of the cloud or the connection, of a
        session the first in its service catalog
    :param interface: the interface of the endpoint, ``public``, ``internal`` or
        ``admin``; default: that of the cloud or the connection, else ``public``
    :param engine: the engine of the instances, ``mysql``, ``mariadb`` or
        ``postgresql``; default: ``TROVE_EXT_ENGINE`` of the environment, else the one
        that the name of the datastore shows
    :param progress: called with each :class:`~trove_ext.Event` of a job, in the thread
        that runs the job; default: nothing is reported
    :param clock: a clock other than the machine's, for tests
    :raises ValueError: more than one source is given, or an unknown engine
    :raises ConfigError: there is no such cloud, or its settings can't be used
    :raises LoginError: Keystone did not accept the credentials
    :raises UnreachableError: Keystone did not respond
    :raises ServiceError: the service catalog has no database endpoint
    """
    if sum(source is not None for source in (cloud, session, connection)) > 1:
        raise ValueError("give only one of cloud, session and connection")
    if engine is not None and engine not in ENGINES:
        raise ValueError(f"{engine!r} is none of the engines {', '.join(ENGINES)}")
    if session is not None:
        endpoint = {"region_name": region_name}
    else:
        settings, session = _configured(cloud, connection, region_name)
        interface = interface or settings.get_interface(SERVICE_TYPE)
        endpoint = {
            "region_name": region_name or settings.get_region_name(SERVICE_TYPE),
            "endpoint_override": settings.get_endpoint(SERVICE_TYPE),
        }
    client = _client(session, interface or INTERFACE, endpoint)
    reporter = Reporter(progress) if progress is not None else None
    return Connection(Cloud(client, clock=clock, progress=reporter, engine=engine))


def _configured(
    cloud: str | None, connection: sdk.Connection | None, region_name: str | None
) -> tuple[Any, Session]:
    """Return the settings of a cloud, as openstacksdk reads them, and a session.

    :raises ConfigError: there is no such cloud, or its settings can't be used
    """
    if connection is not None:
        return connection.config, connection.session
    from keystoneauth1.exceptions import MissingRequiredOptions
    from openstack.config import OpenStackConfig
    from openstack.exceptions import ConfigException

    wanted: dict[str, Any] = {"region_name": region_name} if region_name else {}
    try:
        settings = OpenStackConfig().get_one(cloud=cloud, **wanted)
        return settings, settings.get_session()
    except (ConfigException, MissingRequiredOptions) as exc:
        name = f"cloud {cloud!r}" if cloud else "the cloud of the environment"
        raise ConfigError(f"The settings of {name} can't be used: {exc}") from exc


def _client(session: Session, interface: str, endpoint: dict[str, Any]) -> Any:
    """Create a client of python-troveclient, which logs in to find the endpoint.

    :raises ServiceError: the log-in failed, or there is no database endpoint
    """
    from keystoneauth1 import exceptions as ksa
    from troveclient import exceptions as trove
    from troveclient.v1.client import Client

    given = {key: value for key, value in endpoint.items() if value}
    try:
        with upstream.timeout_of(session, REQUEST_TIMEOUT):
            return Client(
                session=session, auth=session.auth, endpoint_type=interface, **given
            )
    except (ksa.CatalogException, trove.EndpointNotFound) as exc:
        region = given.get("region_name")
        where = f" in region {region}" if region else ""
        raise ServiceError(
            f"The service catalog has no {interface} database endpoint{where}: does "
            "this cloud offer Trove, and are region and interface right?"
        ) from exc
    except ksa.ClientException as exc:
        raise errors.translate(exc, "Log-in", changing=False) from exc
