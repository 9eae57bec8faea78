"""Backups: chains, parents, delete, check, prune, rotate."""
