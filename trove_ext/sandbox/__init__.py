"""A real Keystone, Swift and Trove on loopback, with real MariaDB servers."""
