"""What this plugin adds to stock commands."""
