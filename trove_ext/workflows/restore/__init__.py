"""Restore and verify: new instances from backups."""
