"""A real Keystone and a real Trove on loopback, with real MariaDB servers."""
