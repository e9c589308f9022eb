"""Chooses how a spec is tried."""

from sandbox.vertex.behaviour import AwsIdentity, Behaviour
from sandbox.vertex.schema import EcrSpec, Spec
from sandbox.vertex.validation.basic import try_basic
from sandbox.vertex.validation.ecr import EcrTrial
from sandbox.vertex.validation.outcomes import TryFailedError, refusal


class Validator:
    """Tries specs.

    Args:
        behaviour: version, timeout, roles known for pod identity.
        aws_endpoint: base URL of the AWS that ECR credentials are tried against; without it there is no route to AWS.
        aws_identity: who assumes the roles of `sts` credentials.
    """

    def __init__(self, behaviour: Behaviour, aws_endpoint: str | None, aws_identity: AwsIdentity | None) -> None:
        self._behaviour = behaviour
        self._ecr = EcrTrial(behaviour, aws_endpoint, aws_identity)
        self._aws_endpoint = aws_endpoint

    def validate(self, spec: Spec) -> None:
        """Try a spec; an unprotected ECR registry needs no credentials, so nothing is asked of AWS.

        Raises:
            ApiError: 500 with a code that depends on the failure and the version.
        """
        try:
            if not isinstance(spec, EcrSpec):
                try_basic(spec, self._behaviour.validation_timeout_seconds, self._aws_endpoint)
            elif spec.is_private:
                self._ecr.run(spec)
        except TryFailedError as error:
            raise refusal(error, self._behaviour) from None
