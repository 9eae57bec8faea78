"""Replicas: create, probe, promote, failover, detach."""
