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

"""The accounts of a restored instance, and what it does not get from its source."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from trove_ext.exceptions import AmbiguousNameError, NotFoundError, TroveExtError
from trove_ext.follow_up import Action, FollowUp, Note, Problem, Setting, Verb, to
from trove_ext.trove import extras

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trove_ext.model.instance import Instance
    from trove_ext.trove.client import Cloud

#: ``trove/instance/service.py``: ``locality_domain``.
LOCALITIES = ("affinity", "anti-affinity")


@dataclass(frozen=True, slots=True)
class Additions:
    """What a new instance gets beside the data of its backup.

    The guest creates databases and users after the restore
    (``trove/guestagent/datastore/manager.py``, ``_prepare``).

    :ivar users: names and passwords; each gets access to *databases* and to no other
    :ivar modules: names or IDs
    :ivar locality: one of `LOCALITIES`: of its replicas
    """

    databases: tuple[str, ...] = ()
    users: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    modules: tuple[str, ...] = ()
    locality: str | None = None

    @property
    def user_names(self) -> tuple[str, ...]:
        """Return the users without their passwords."""
        return tuple(name for name, _ in self.users)

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of troveclient's ``instances.create``, if any.

        The modules have to be IDs.
        """
        databases = [{"name": name} for name in self.databases]
        given = {
            "databases": databases,
            "users": [
                {"name": name, "password": password, "databases": databases}
                for name, password in self.users
            ],
            "modules": list(self.modules),
            "locality": self.locality,
        }
        return {name: value for name, value in given.items() if value}


NOTHING = Additions()


def with_module_ids(
    cloud: Cloud, additions: Additions
) -> tuple[Additions, list[Problem]]:
    """Replace the names of modules by IDs; return what is wrong with them, too."""
    if not additions.modules:
        return additions, []
    finder = extras.modules(cloud)
    found: dict[str, None] = {}
    problems: list[Problem] = []
    for name in additions.modules:
        try:
            found[finder.find(name).id] = None
        except (NotFoundError, AmbiguousNameError) as exc:
            problems.append(Problem(str(exc), exc.follow_ups))
        except TroveExtError as exc:
            why = Problem(f"the modules can't be read: {exc}", exc.follow_ups)
            return additions, [why]
    return replace(additions, modules=tuple(found)), problems


def differences(
    cloud: Cloud, name: str, origin: Instance | None, additions: Additions
) -> Iterator[Note]:
    """Say what the new instance does not have of the one it is like.

    Trove passes on the mode of TLS to replicas alone (``trove/instance/models.py``:
    ``ssl_mode`` is set for ``slave_of_id``), and no module or locality to any.

    :param name: of the new instance
    """
    if additions.users:
        yield Note(_grants(additions))
    if origin is None:
        return
    if mode := extras.tls_mode(cloud, origin):
        yield Note(
            f"The TLS mode of {origin} is {mode}; the new instance does not have it, "
            "and accepts connections without TLS.",
            (to("set it", Action(Verb.ENABLE_TLS, (name,)), detail=_tls(mode)),),
        )
    given = set(additions.modules)
    for module in extras.modules_of(cloud, origin):
        if not given & {module.id, module.name}:
            yield Note(
                f"Module {module.name} of {origin} is not taken over.",
                (_adding(Setting.MODULE, module.name),),
            )
    if origin.locality and not additions.locality:
        yield Note(
            f"The locality of {origin} ({origin.locality}) is not taken over.",
            (_adding(Setting.LOCALITY, origin.locality),),
        )


def _tls(mode: str) -> str:
    return f"once it is ACTIVE, with a container of its certificate and mode {mode}"


def _grants(additions: Additions) -> str:
    users = ", ".join(additions.user_names)
    databases = ", ".join(additions.databases) or "no database"
    return (
        f"New users ({users}) get access to {databases} only; the accounts in the "
        "backup, with their grants, are part of the data."
    )


def _adding(setting: Setting, value: str) -> FollowUp:
    return FollowUp("take it over", settings=(setting,), value=value)
