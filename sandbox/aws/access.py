"""IAM, for requests of identities other than the sandbox's own: known key, right signature, permission, trust."""

from collections.abc import Mapping
from typing import Any

from moto.core.exceptions import AccessDeniedError, InvalidClientTokenIdError, SignatureDoesNotMatchError
from moto.iam.access_control import AssumedRoleAccessKey, IAMPolicy, IAMRequest, IAMUserAccessKey, PermissionResult
from moto.iam.exceptions import NotFoundException
from moto.iam.models import get_account_id_from, iam_backends
from moto.utilities.utils import get_partition

from sandbox.aws.refusals import QUERY_SERVICES, RefusalError
from sandbox.aws.requests import SignedRequest

# The codes of services that came with JSON; the older ones, and SQS by heritage, say it in the other words.
_JSON_CODES = {
    "InvalidClientTokenId": "UnrecognizedClientException",
    "SignatureDoesNotMatch": "InvalidSignatureException",
    "AccessDenied": "AccessDeniedException",
}
_OLD_STYLE = QUERY_SERVICES | {"sqs"}
_FORBIDDEN = 403


def check_access(request: SignedRequest) -> None:
    """Let a request pass only if AWS would, judged by moto's own users, roles and policies.

    Raises:
        RefusalError: with the code that the service itself would use.
    """
    caller = _Caller(request)
    caller.check_signature()
    if request.action == "GetCallerIdentity":  # needs no permission, by AWS's definition
        return
    if (request.service, request.action) == ("sts", "AssumeRole"):
        _check_trust(request, caller)
        return
    for resource in _resources(request, caller.account):
        if not _permits(caller.policies(), f"{request.service}:{request.action}", resource):
            raise _denied(request, caller.arn, resource)


class _Caller:
    """Who signed a request, as moto's access control finds it."""

    def __init__(self, request: SignedRequest) -> None:
        self._request = request
        self.account = account = get_account_id_from(request.access_key_id)
        try:
            self._checked = IAMRequest(
                account_id=account,
                method=request.method,
                path=request.url,
                data={},
                body=request.body,
                headers=dict(request.headers),
                action=request.action,
            )
        except InvalidClientTokenIdError:
            raise _unknown_key(request) from None
        # The key that moto resolved; it offers no public way to it.
        self._key: IAMUserAccessKey | AssumedRoleAccessKey = self._checked._access_key  # noqa: SLF001
        if isinstance(self._key, IAMUserAccessKey) and not _is_active(account, request):
            raise _unknown_key(request)

    @property
    def arn(self) -> str:
        return str(self._key.arn)

    def policies(self) -> list[Any]:
        """Identity policies of the caller."""
        return list(self._key.collect_policies())

    def check_signature(self) -> None:
        """Compare the signature with the one the stored secret key gives."""
        try:
            self._checked.check_signature()
        except SignatureDoesNotMatchError as error:
            raise _refusal(self._request, "SignatureDoesNotMatch", str(error.message)) from None
        except AccessDeniedError as error:
            raise _refusal(self._request, "AccessDenied", str(error.message)) from None


def _resources(request: SignedRequest, account: str) -> list[str]:
    """What a request is about: for ECR its repositories (all of them, if it names none); else anything."""
    if request.service != "ecr" or request.action == "GetAuthorizationToken":
        return ["*"]
    named = request.parameters.get("repositoryNames") or [request.parameters.get("repositoryName") or "*"]
    owner = request.parameters.get("registryId") or account
    prefix = f"arn:{get_partition(request.region)}:ecr:{request.region}:{owner}:repository/"
    return [prefix + str(name) for name in named]


def _is_active(account: str, request: SignedRequest) -> bool:
    key = iam_backends[account][get_partition(request.region)].access_keys.get(request.access_key_id)
    return key is not None and key.status == "Active"


def check_trust_of_account(request: SignedRequest, account: str) -> None:
    """A role must trust the account whose functions would assume it; their own policies are judged by tests.

    Raises:
        RefusalError: it does not.
    """
    arn = f"arn:{get_partition(request.region)}:iam::{account}:root"
    if not _trusts_in(request, arn):
        raise _denied(request, arn, str(request.parameters.get("RoleArn", "")))


def _check_trust(request: SignedRequest, caller: _Caller) -> None:
    """The role must trust the caller; one trusted only by way of its account also needs a policy of its own."""
    trusts = _trusts_in(request, caller.arn)
    role_arn = str(request.parameters.get("RoleArn", ""))
    allowed_itself = _permits(caller.policies(), "sts:AssumeRole", role_arn)
    if "identity" in trusts or ("account" in trusts and allowed_itself):
        return
    raise _denied(request, caller.arn, role_arn)


def _trusts_in(request: SignedRequest, caller_arn: str) -> list[str]:
    """How the role's trust policy trusts the caller: by its identity, by its account, or not at all."""
    role_arn = str(request.parameters.get("RoleArn", ""))
    account = role_arn.split(":")[4] if role_arn.count(":") >= 5 else ""  # noqa: PLR2004 - the parts of an ARN
    try:
        role = iam_backends[account][get_partition(request.region)].get_role_by_arn(role_arn)
    except (NotFoundException, KeyError):
        raise _denied(request, caller_arn, role_arn) from None
    document = role.assume_role_policy_document
    statements = IAMPolicy(document)._policy_json["Statement"]  # noqa: SLF001 - moto's parser of policy documents
    statements = statements if isinstance(statements, list) else [statements]
    return [t for s in statements if (t := _trust_of(s, caller_arn, request.parameters))]


def _trust_of(statement: Mapping[str, Any], arn: str, parameters: Mapping[str, Any]) -> str | None:
    """`identity` or `account`, by whom the statement trusts the caller; None: it does not."""
    actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
    if statement["Effect"] != "Allow" or "sts:AssumeRole" not in actions:
        return None
    expected = statement.get("Condition", {}).get("StringEquals", {}).get("sts:ExternalId")
    if expected is not None and parameters.get("ExternalId") != expected:
        return None
    principals = statement.get("Principal", {}).get("AWS", [])
    principals = principals if isinstance(principals, list) else [principals]
    account = arn.split(":")[4]
    if arn in principals or "*" in principals:
        return "identity"
    return "account" if any(p == account or p.endswith(f"::{account}:root") for p in principals) else None


def _permits(policies: list[Any], action: str, resource: str) -> bool:
    results = [IAMPolicy(policy).is_action_permitted(action, resource) for policy in policies]
    return PermissionResult.PERMITTED in results and PermissionResult.DENIED not in results


def _unknown_key(request: SignedRequest) -> RefusalError:
    return _refusal(request, "InvalidClientTokenId", "The security token included in the request is invalid.")


def _denied(request: SignedRequest, arn: str, resource: str) -> RefusalError:
    action = f"{request.service}:{request.action}"
    words = f"User: {arn} is not authorized to perform: {action} on resource: {resource}"
    return _refusal(request, "AccessDenied", words)


def _refusal(request: SignedRequest, code: str, message: str) -> RefusalError:
    if request.service in _OLD_STYLE:
        return RefusalError(code, message, status=_FORBIDDEN)
    return RefusalError(_JSON_CODES[code], message)
