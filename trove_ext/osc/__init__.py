"""All that knows cliff and ``openstack``: commands, columns, hooks, progress."""
