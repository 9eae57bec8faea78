"""Back up an instance twice, restore it, and switch to a replica of the copy.

OS_CLOUD=prod python copy_with_replica.py <instance>
"""

import sys

import trove_ext


def copy_with_replica(trove, instance):
    """Return the source of a new replica set with the data of an instance."""
    full = trove.create_backup(instance, f"{instance}-full")
    increment = trove.create_backup(instance, f"{instance}-increment", parent=full)

    restore = trove.plan_restore_backup(increment, f"{instance}-copy")
    print(f"{restore.settings.flavor_name}, {restore.settings.size} GB")
    copy = trove.restore_backup(restore, timeout=1800)

    create = trove.plan_create_replicas(copy, f"{instance}-copy-replica")
    (replica,) = trove.create_replicas(create, timeout=1800)

    promote = trove.plan_promote_replica(replica, probe=True)
    print("\n".join(promote.checks))
    return trove.promote_replica(promote).source


def main():
    trove = trove_ext.connect(progress=print)
    try:
        source = copy_with_replica(trove, sys.argv[1])
    except trove_ext.CheckError as exc:
        # This call has changed nothing.
        sys.exit("\n".join([exc.what, *exc.problems]))
    except trove_ext.BusyError as exc:
        sys.exit(f"Try again later: {exc}")
    except trove_ext.WaitTimeoutError as exc:
        # It continues on the server: keep the ID, and wait again later.
        sys.exit(f"Not done yet: {exc.result}")
    except trove_ext.TroveExtError as exc:
        sent = ", ".join(exc.sent) or "nothing"
        sys.exit(f"{type(exc).__name__}: {exc}\nSent: {sent}")
    print(f"The source is {source}")


if __name__ == "__main__":
    main()
