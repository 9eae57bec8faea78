"""Everything that depends on cliff: commands, columns, hooks, progress."""
