"""What a sandbox's AWS holds from the start: identities, a pull key, the secrets of VerteX and Slack."""

import json
from dataclasses import dataclass

from moto.iam.models import iam_backends

from sandbox.aws.local import Credentials, LocalAws

PULL_SECRET = "sandbox/ecr-pull"
ADMIN_SECRET = "sandbox/vertex-admin"
SLACK_SECRET = "sandbox/slack-webhook"
PULL_ROLE = "sandbox-ecr-pull"
TOKEN_ROLE = "sandbox-ecr-token"
EXTERNAL_ID = "sandbox"
_PULL_USER = "sandbox-ecr-pull"
_VERTEX_USER = "sandbox-vertex"
_OTHER_PARTITIONS = ("aws-us-gov", "aws-cn", "aws-iso", "aws-iso-b")

# What VerteX's documentation asks for to read an ECR registry ("Add an OCI registry", IAM policy).
_PULL_ACTIONS = {
    "ecr": (
        "GetAuthorizationToken",
        "BatchCheckLayerAvailability",
        "GetDownloadUrlForLayer",
        "BatchGetImage",
        "DescribeRepositories",
        "DescribeImages",
        "ListImages",
        "ListTagsForResource",
        "GetRepositoryPolicy",
        "GetLifecyclePolicy",
        "GetLifecyclePolicyPreview",
        "DescribeRegistry",
        "GetRegistryPolicy",
        "DescribeImageReplicationStatus",
        "DescribeImageScanFindings",
    ),
    "ecr-public": (
        "GetAuthorizationToken",
        "DescribeRegistries",
        "DescribeRepositories",
        "DescribeImages",
        "DescribeImageTags",
        "GetRepositoryCatalogData",
        "GetRegistryCatalogData",
        "GetRepositoryPolicy",
        "ListTagsForResource",
        "BatchCheckLayerAvailability",
    ),
}


@dataclass(frozen=True, slots=True)
class Seeds:
    """What was put in.

    Attributes:
        vertex: the AWS identity of VerteX itself; the only one that may assume `role_arn`.
        pull_user: IAM user whose access key is in the secret `sandbox/ecr-pull`.
        pull_key: that access key.
        token_role_arn: a pull-only role that the sandbox's functions may assume to be issued ECR tokens.
    """

    vertex: Credentials
    pull_user: str
    pull_key: Credentials
    role_arn: str
    token_role_arn: str


def seed_identities(aws: LocalAws) -> Seeds:
    """Make the identities and the pull secret."""
    _share_identities(aws.account)
    iam = aws.client("iam")
    policy = iam.create_policy(PolicyName="sandbox-ecr-pull", PolicyDocument=json.dumps(_pull_policy()))["Policy"][
        "Arn"
    ]
    vertex_arn = iam.create_user(UserName=_VERTEX_USER)["User"]["Arn"]
    iam.create_user(UserName=_PULL_USER)
    iam.attach_user_policy(UserName=_PULL_USER, PolicyArn=policy)
    trust = json.dumps(_trust_policy(vertex_arn))
    role = iam.create_role(RoleName=PULL_ROLE, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    iam.attach_role_policy(RoleName=PULL_ROLE, PolicyArn=policy)
    trust = json.dumps(_trust_policy(f"arn:aws:iam::{aws.account}:root", external_id=None))
    token_role = iam.create_role(RoleName=TOKEN_ROLE, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    iam.attach_role_policy(RoleName=TOKEN_ROLE, PolicyArn=policy)
    pull_key = _new_key(aws, _PULL_USER)
    value = {"accessKeyId": pull_key.access_key_id, "secretAccessKey": pull_key.secret_access_key}
    seed_secret(aws, PULL_SECRET, json.dumps(value))
    return Seeds(_new_key(aws, _VERTEX_USER), _PULL_USER, pull_key, role, token_role)


def _share_identities(account: str) -> None:
    """One set of identities for every partition, where AWS has one each.

    So events of GovCloud and the others can be tried with the key and the role that the sandbox comes with.
    """
    backends = iam_backends[account]
    for partition in _OTHER_PARTITIONS:
        backends[partition] = backends["aws"]


def seed_secret(aws: LocalAws, name: str, value: str) -> str:
    """Make a secret, without an event; gives its ARN."""
    return str(aws.client("secretsmanager").create_secret(Name=name, SecretString=value)["ARN"])


def _new_key(aws: LocalAws, user: str) -> Credentials:
    key = aws.client("iam").create_access_key(UserName=user)["AccessKey"]
    return Credentials(key["AccessKeyId"], key["SecretAccessKey"])


def _pull_policy() -> dict[str, object]:
    actions = [f"{service}:{action}" for service, names in _PULL_ACTIONS.items() for action in names]
    statement = {"Sid": "ReadContent", "Effect": "Allow", "Action": actions, "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def _trust_policy(principal: str, external_id: str | None = EXTERNAL_ID) -> dict[str, object]:
    statement: dict[str, object] = {
        "Effect": "Allow",
        "Principal": {"AWS": principal},
        "Action": "sts:AssumeRole",
    }
    if external_id is not None:
        statement["Condition"] = {"StringEquals": {"sts:ExternalId": external_id}}
    return {"Version": "2012-10-17", "Statement": [statement]}
