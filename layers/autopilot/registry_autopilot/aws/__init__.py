"""Adapters to AWS: one module per service or store."""
