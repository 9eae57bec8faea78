"""The commands of the database v1 API."""
