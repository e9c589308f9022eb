"""Fakes and a virtual-time pipeline: the real use cases in one process, no sockets."""
