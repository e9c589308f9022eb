"""A strict stand-in for Palette VerteX over real HTTP: test equipment for the sandbox and the tests.

It does what VerteX's published API description ("Palette APIs", version 4.8) and documentation say, and where they are
silent what makes a careless client fail loudly. One word finds one concern:

    stand_in   the whole server: start it, seed it, change it as an admin would
    front      what every request passes first: faults, the rate limit, the journal
    app        routes
    auth       login, lockout, tokens
    seeding    registries that admins and the installer make without the API
    service    the operations on registries, built on
               schema and specs (what a body may say), store, syncs, views, validation (really tries)
"""

from sandbox.vertex.behaviour import AwsIdentity, Behaviour, ErrorCodes
from sandbox.vertex.faults import Fault, Faults
from sandbox.vertex.journal import Entry, Journal
from sandbox.vertex.rate import RateLimit
from sandbox.vertex.stand_in import VertexStandIn
from sandbox.vertex.syncs import SyncStart
from sandbox.vertex.views import Snapshot

__all__ = [
    "AwsIdentity",
    "Behaviour",
    "Entry",
    "ErrorCodes",
    "Fault",
    "Faults",
    "Journal",
    "RateLimit",
    "Snapshot",
    "SyncStart",
    "VertexStandIn",
]
