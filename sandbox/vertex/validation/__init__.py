"""Validation that really tries: opens its own connections to the registry, or to AWS, with what it was given.

`validate` decides what is tried; `basic` and `ecr` try; `outcomes` says what a failure is called by which version.
"""

from sandbox.vertex.validation.validator import Validator

__all__ = ["Validator"]
