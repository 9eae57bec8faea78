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

"""The part of Neutron that Trove uses: ports, networks, floating IPs, security groups.

The calls of Trove are in trove/common/neutron.py. An address is one of this machine's
loopback, whatever the network is. Each network has a router to the external one, so an
instance may get a floating IP: another address of loopback, with a relay that listens
there.
"""

import uuid
from typing import Any

from neutronclient.common import exceptions

from trove_ext.sandbox import labels, relay
from trove_ext.sandbox.standins import world
from trove_ext.sandbox.standins.store import Row

_ROUTER_INTERFACE = "network:router_interface"
"""The owner of the port by which a router is in a subnet."""


def make_port(name: str, network_id: str | None, **more: Any) -> Row:
    """Create a port with a free address, in the requested network."""
    here = world.current()
    port = {
        "id": str(uuid.uuid4()),
        "name": name,
        "network_id": network_id or labels.DEFAULT_NETWORK.id,
        "device_id": "",
        "address": here.free_address(),
        **more,
    }
    here.store.put("port", port)
    return port


def _shown(port: Row) -> Row:
    network = next((n for n in labels.NETWORKS if n.id == port["network_id"]), None)
    subnet_id = network.subnet_id if network else labels.DEFAULT_NETWORK.subnet_id
    fixed = {"subnet_id": subnet_id, "ip_address": port["address"]}
    # Trove writes it into a rebuilt guest's files (_get_user_nic_info).
    octets = port["address"].split(".")
    mac = ":".join(["02", "00", *(f"{int(octet):02x}" for octet in octets)])
    return port | {"fixed_ips": [fixed], "mac_address": mac}


class Client:
    """The Neutron client of Trove."""

    def create_port(self, body: dict[str, Row]) -> dict[str, Row]:
        """Create a port."""
        asked = body["port"]
        self.show_network(asked["network_id"])
        return {"port": _shown(make_port(asked["name"], asked["network_id"]))}

    def list_ports(self, **filters: Any) -> dict[str, list[Row]]:
        """List ports by device, by name, or that of a subnet's router."""
        if "device_owner" in filters:
            is_router = filters["device_owner"] == _ROUTER_INTERFACE
            return {"ports": [{"id": labels.ROUTER_PORT_ID}] if is_router else []}
        store = world.current().store
        if filters.get("device_id"):
            rows = store.by_owner("port", filters["device_id"])
        else:
            rows = store.by_name("port", filters.get("name", ""))
        return {"ports": [_shown(row) for row in rows]}

    def show_port(self, port_id: str) -> dict[str, Row]:
        """Return a port; raises Neutron's NotFound."""
        row = world.current().store.get("port", port_id)
        if row is None:
            raise exceptions.NotFound(message=f"Port {port_id} could not be found.")
        return {"port": _shown(row)}

    def delete_port(self, port_id: str) -> None:
        """Remove a port; its address is free again."""
        world.current().store.delete("port", port_id)

    def list_networks(self, **filters: Any) -> dict[str, list[Row]]:
        """List the networks of instances, or the external one."""
        external = filters.get("router:external")
        found = [labels.PUBLIC_NETWORK] if external else labels.NETWORKS
        return {"networks": [{"id": n.id, "name": n.name} for n in found]}

    def show_network(self, network_id: str) -> dict[str, Row]:
        """Return a network; raises Neutron's NotFound."""
        for network in labels.NETWORKS:
            if network.id == network_id:
                return {"network": {"id": network.id, "name": network.name}}
        raise exceptions.NotFound(message=f"Network {network_id} could not be found.")

    def list_subnets(self, network_id: str | None = None) -> dict[str, list[Row]]:
        """List the subnets of a network; raises Neutron's NotFound."""
        if network_id is not None:
            self.show_network(network_id)
        found = [n for n in labels.NETWORKS if network_id in {None, n.id}]
        return {"subnets": [self.show_subnet(n.subnet_id)["subnet"] for n in found]}

    def show_subnet(self, subnet_id: str) -> dict[str, Row]:
        """Return a subnet; raises Neutron's NotFound."""
        for network in labels.NETWORKS:
            if network.subnet_id == subnet_id:
                cidr = f"127.77.{world.current().block}.0/24"
                subnet = {"id": subnet_id, "network_id": network.id, "cidr": cidr}
                return {"subnet": subnet | {"gateway_ip": None, "host_routes": []}}
        raise exceptions.NotFound(message=f"Subnet {subnet_id} could not be found.")

    def list_floatingips(self, port_id: str) -> dict[str, list[Row]]:
        """List the floating IPs of a port."""
        return {"floatingips": world.current().store.by_owner("floatingip", port_id)}

    def create_floatingip(self, body: dict[str, Row]) -> dict[str, Row]:
        """Give a port a floating IP, and start its relay; raises Neutron's NotFound."""
        here, asked = world.current(), body["floatingip"]
        port = self.show_port(asked["port_id"])["port"]
        row = {
            **asked,
            "id": str(uuid.uuid4()),
            "floating_ip_address": here.free_address(),
            "fixed_ip_address": port["address"],
        }
        here.store.put("floatingip", row, port["id"])
        relay.start(here.state, row["floating_ip_address"], row["fixed_ip_address"])
        return {"floatingip": row}

    def delete_floatingip(self, floating_ip_id: str) -> None:
        """Remove a floating IP with its relay; its address is free again."""
        here = world.current()
        row = here.store.get("floatingip", floating_ip_id)
        if row is not None:
            relay.stop(here.state, row["floating_ip_address"])
            here.store.delete("floatingip", floating_ip_id)

    def show_extension(self, alias: str) -> dict[str, Row]:
        """Return the only extension, ``project-id``; raises Neutron's NotFound."""
        if alias != "project-id":
            raise exceptions.NotFound(message=f"Extension {alias} could not be found.")
        return {"extension": {"alias": alias}}

    def create_security_group(self, body: dict[str, Row]) -> dict[str, Row]:
        """Store a security group; nothing is filtered on loopback."""
        row = {"id": str(uuid.uuid4()), **body["security_group"]}
        world.current().store.put("security_group", row)
        return {"security_group": row}

    def list_security_groups(self, name: str) -> dict[str, list[Row]]:
        """List the security groups of this name."""
        rows = world.current().store.by_name("security_group", name)
        return {"security_groups": rows}

    def delete_security_group(self, group_id: str) -> None:
        """Remove a security group with its rules."""
        store = world.current().store
        for rule in store.by_owner("security_group_rule", group_id):
            store.delete("security_group_rule", rule["id"])
        store.delete("security_group", group_id)

    def create_security_group_rule(self, body: dict[str, Row]) -> dict[str, Row]:
        """Store a rule of a security group."""
        row = {"id": str(uuid.uuid4()), **body["security_group_rule"]}
        group_id = row["security_group_id"]
        world.current().store.put("security_group_rule", row, group_id)
        return {"security_group_rule": row}

    def list_security_group_rules(self, security_group_id: str) -> dict[str, list[Row]]:
        """List the rules of a security group."""
        store = world.current().store
        rows = store.by_owner("security_group_rule", security_group_id)
        return {"security_group_rules": rows}

    def delete_security_group_rule(self, rule_id: str) -> None:
        """Remove a rule."""
        world.current().store.delete("security_group_rule", rule_id)


def client(*_args: Any, **_kwargs: Any) -> Client:
    """Stand in for trove.common.clients.neutron_client."""
    return Client()
