"""Backup, restore, replica and promote workflows for OpenStack databases.

The names in ``__all__`` are the Python library, documented on the page "Python
library". They are imported when they are first used: cliff imports this package for
every ``openstack`` command (:mod:`trove_ext.osc.lazy`).
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trove_ext.exceptions import (
        AmbiguousNameError,
        BusyError,
        CheckError,
        ConfigError,
        LoginError,
        LostAnswerError,
        MalformedAnswerError,
        NotFoundError,
        OutOfTimeError,
        PartialFailureError,
        PolicyError,
        RefusedError,
        ResourceFailedError,
        ServiceError,
        TroveExtError,
        UnreachableError,
        WaitTimeoutError,
    )
    from trove_ext.follow_up import Action, FollowUp, Note, Problem, Setting, Verb
    from trove_ext.library.connect import connect
    from trove_ext.library.connection import Connection
    from trove_ext.library.events import Event, EventKind
    from trove_ext.model.backup import Backup, BackupKind
    from trove_ext.model.backup_forest import BackupChain, ChainState
    from trove_ext.model.instance import Address, Instance
    from trove_ext.model.replication import ReplicationSet
    from trove_ext.model.retention_policy import Policy
    from trove_ext.model.selection import Selection
    from trove_ext.model.status import Fault, Phase
    from trove_ext.polling import Clock
    from trove_ext.workflows.backup.chains import Member
    from trove_ext.workflows.backup.check import Verdict
    from trove_ext.workflows.backup.delete import Deleted, DeletePlan
    from trove_ext.workflows.backup.prune import PrunePlan, PruneRow
    from trove_ext.workflows.backup.rotate_job import RotateRow
    from trove_ext.workflows.new_instance import InstanceOptions, Nic
    from trove_ext.workflows.replica.create import ReplicaPlan
    from trove_ext.workflows.replica.failover import FailoverPlan
    from trove_ext.workflows.replica.promote import PromotePlan
    from trove_ext.workflows.replica.switch_report import Switch
    from trove_ext.workflows.restore.additions import Additions
    from trove_ext.workflows.restore.contents import Question
    from trove_ext.workflows.restore.restore import RestorePlan
    from trove_ext.workflows.restore.settings import RestoreOptions, Settings
    from trove_ext.workflows.restore.verify import Verification
    from trove_ext.workflows.restore.verify_journal import Step

#: Each public name, and the module that defines it.
_HOMES = {
    "AmbiguousNameError": "exceptions",
    "BusyError": "exceptions",
    "CheckError": "exceptions",
    "ConfigError": "exceptions",
    "LoginError": "exceptions",
    "LostAnswerError": "exceptions",
    "MalformedAnswerError": "exceptions",
    "NotFoundError": "exceptions",
    "OutOfTimeError": "exceptions",
    "PartialFailureError": "exceptions",
    "PolicyError": "exceptions",
    "RefusedError": "exceptions",
    "ResourceFailedError": "exceptions",
    "ServiceError": "exceptions",
    "TroveExtError": "exceptions",
    "UnreachableError": "exceptions",
    "WaitTimeoutError": "exceptions",
    "Action": "follow_up",
    "FollowUp": "follow_up",
    "Note": "follow_up",
    "Problem": "follow_up",
    "Setting": "follow_up",
    "Verb": "follow_up",
    "connect": "library.connect",
    "Connection": "library.connection",
    "Event": "library.events",
    "EventKind": "library.events",
    "Backup": "model.backup",
    "BackupKind": "model.backup",
    "BackupChain": "model.backup_forest",
    "ChainState": "model.backup_forest",
    "Address": "model.instance",
    "Instance": "model.instance",
    "ReplicationSet": "model.replication",
    "Policy": "model.retention_policy",
    "Selection": "model.selection",
    "Fault": "model.status",
    "Phase": "model.status",
    "Clock": "polling",
    "Member": "workflows.backup.chains",
    "Verdict": "workflows.backup.check",
    "Deleted": "workflows.backup.delete",
    "DeletePlan": "workflows.backup.delete",
    "PrunePlan": "workflows.backup.prune",
    "PruneRow": "workflows.backup.prune",
    "RotateRow": "workflows.backup.rotate_job",
    "InstanceOptions": "workflows.new_instance",
    "Nic": "workflows.new_instance",
    "ReplicaPlan": "workflows.replica.create",
    "FailoverPlan": "workflows.replica.failover",
    "PromotePlan": "workflows.replica.promote",
    "Switch": "workflows.replica.switch_report",
    "Question": "workflows.restore.contents",
    "RestorePlan": "workflows.restore.restore",
    "RestoreOptions": "workflows.restore.settings",
    "Settings": "workflows.restore.settings",
    "Additions": "workflows.restore.additions",
    "Step": "workflows.restore.verify_journal",
    "Verification": "workflows.restore.verify",
}

__all__ = [
    "Action",
    "Additions",
    "Address",
    "AmbiguousNameError",
    "Backup",
    "BackupChain",
    "BackupKind",
    "BusyError",
    "ChainState",
    "CheckError",
    "Clock",
    "ConfigError",
    "Connection",
    "DeletePlan",
    "Deleted",
    "Event",
    "EventKind",
    "FailoverPlan",
    "Fault",
    "FollowUp",
    "Instance",
    "InstanceOptions",
    "LoginError",
    "LostAnswerError",
    "MalformedAnswerError",
    "Member",
    "Nic",
    "NotFoundError",
    "Note",
    "OutOfTimeError",
    "PartialFailureError",
    "Phase",
    "Policy",
    "PolicyError",
    "Problem",
    "PromotePlan",
    "PrunePlan",
    "PruneRow",
    "Question",
    "RefusedError",
    "ReplicaPlan",
    "ReplicationSet",
    "ResourceFailedError",
    "RestoreOptions",
    "RestorePlan",
    "RotateRow",
    "Selection",
    "ServiceError",
    "Setting",
    "Settings",
    "Step",
    "Switch",
    "TroveExtError",
    "UnreachableError",
    "Verb",
    "Verdict",
    "Verification",
    "WaitTimeoutError",
    "connect",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
