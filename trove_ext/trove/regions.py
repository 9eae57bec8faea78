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

"""Trove in another region by the same session, and what the catalog has there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from keystoneauth1.exceptions import CatalogException
from troveclient.exceptions import EndpointNotFound

from trove_ext.exceptions import NotFoundError
from trove_ext.trove import upstream
from trove_ext.trove.client import Cloud

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trove_ext.follow_up import Action

DATABASE, OBJECT_STORE = "database", "object-store"


class Elsewhere(Cloud):
    """Trove in another region than the one that the user has chosen."""

    def here(self, action: Action) -> Action:
        """Return an action as one that names the region."""
        return replace(action, region=region_of(self))


def region_of(cloud: Cloud) -> str | None:
    """Return the region that a cloud was opened with; None if none was named."""
    name: str | None = cloud.client.client.region_name
    return name


def in_region(cloud: Cloud, region: str) -> Cloud:
    """Open Trove in another region, with the same token.

    What is sent there counts as sent by this run: journal and limits are shared.

    :raises NotFoundError: the catalog has no Trove there; it lists the regions with one
    """
    from troveclient.v1.client import Client

    here = cloud.client.client
    try:
        client = Client(
            session=here.session,
            auth=here.auth,
            region_name=region,
            endpoint_type=here.interface,
        )
    except (CatalogException, EndpointNotFound) as exc:
        known = ", ".join(sorted(endpoints(cloud, DATABASE))) or "none"
        raise NotFoundError(
            f"Region {region} has no Trove in the service catalog; regions with one: "
            f"{known}."
        ) from exc
    there = Elsewhere(client, clock=cloud.clock, progress=cloud.progress)
    there.limits, there.journal, there.engines = (
        cloud.limits,
        cloud.journal,
        cloud.engines,
    )
    return there


def endpoints(cloud: Cloud, service_type: str) -> Mapping[str, str]:
    """Return the URL of a service in each region; empty if there is no catalog."""
    here = cloud.client.client
    session = upstream.session_of(cloud.client)
    auth: Any = here.auth or session.auth
    if not hasattr(auth, "get_access"):
        return {}
    access = cloud.read("Token", lambda: auth.get_access(session))
    found = access.service_catalog.get_endpoints(
        service_type=service_type, interface=here.interface
    )
    return {each["region"]: each["url"] for each in found.get(service_type, ())}
