"""The one door to Trove: reading, changing, waiting, over troveclient's managers."""
