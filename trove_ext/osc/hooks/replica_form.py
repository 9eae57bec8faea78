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

"""``instance create --replica-of`` with the options that older guides give.

Trove refuses flavor, volume and datastore beside ``replica_of``
(``trove/instance/service.py``, ``Controller.create``): the replica gets the source's.
Options that match the source are redundant and are dropped; others request
something impossible.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from oslo_utils import uuidutils

from trove_ext.exceptions import AmbiguousNameError, CheckError, NotFoundError
from trove_ext.trove import catalog, find

if TYPE_CHECKING:
    import argparse

    from trove_ext.model.instance import Instance
    from trove_ext.trove.client import Cloud


def drop_options(cloud: Cloud, args: argparse.Namespace, source: Instance) -> None:
    """Drop the options that match the source, in place, and report that.

    :raises CheckError: one of them differs; names both values
    """
    given = {
        "--flavor": (args.flavor, source.flavor_id, _flavor),
        "--size": (args.size, source.size, _as_is),
        "--datastore": (args.datastore, source.datastore, _datastore),
        "--datastore-version": (
            args.datastore_version,
            source.datastore_version,
            _version(source),
        ),
    }
    problems, dropped = [], []
    for option, (wanted, has, resolve) in given.items():
        if wanted is None:
            continue
        dropped.append(f"{option} {wanted}")
        try:
            same = wanted == has or resolve(cloud, wanted) == has
        except NotFoundError:
            same = False
        except AmbiguousNameError as exc:
            problems.append(f"{option} {wanted}: {exc}")
            continue
        if not same:
            problems.append(
                f"{option} {wanted}: a replica gets that of its source, {source}: {has}"
            )
    if problems:
        raise CheckError(f"No replica of {source} can be created like this", problems)
    if args.volume_type is not None:
        dropped.append(f"--volume-type {args.volume_type} (it can't be compared)")
    if dropped:
        cloud.progress.warn(
            f"A replica gets flavor, volume and datastore of its source {source}; "
            f"dropped: {', '.join(dropped)}."
        )
    args.flavor = args.size = args.volume_type = None
    args.datastore = args.datastore_version = None


def _as_is(_cloud: Cloud, wanted: Any) -> Any:
    return wanted


def _flavor(cloud: Cloud, wanted: str) -> str:
    return find.flavors(catalog.list_flavors(cloud)).find(wanted).id


def _datastore(cloud: Cloud, wanted: str) -> str | None:
    """Return the name of a datastore given by ID; names are compared unchanged."""
    if not uuidutils.is_uuid_like(wanted):
        return None
    return catalog.get_datastore(cloud, wanted).name


def _version(source: Instance) -> Any:
    def resolve(cloud: Cloud, wanted: str) -> str | None:
        if not uuidutils.is_uuid_like(wanted):
            return None
        return catalog.get_version(cloud, str(source.datastore), wanted).name

    return resolve
