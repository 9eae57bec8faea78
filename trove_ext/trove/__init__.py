"""The only access to Trove: reading, changing, waiting, over troveclient's managers."""
