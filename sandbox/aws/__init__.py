"""The sandbox's AWS: moto over HTTP, behind a gate that is as strict as AWS where it matters."""

from sandbox.aws.activity import Activity
from sandbox.aws.envelopes import Place
from sandbox.aws.local import ACCOUNT, REGION, Credentials, LocalAws
from sandbox.aws.seeds import Seeds

__all__ = ["ACCOUNT", "REGION", "Activity", "Credentials", "LocalAws", "Place", "Seeds"]
