"""Backup, restore, replica and promote workflows for OpenStack databases."""
