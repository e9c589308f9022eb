"""Repositories of another account, read through a role of that account, by the deployed functions."""

import json

from sandbox.aws import Place
from sandbox.stack import Sandbox

OTHER = Place("210987654321", "us-east-1")
ROLE = "ecr-read"
DEFINITION = {
    "id": "other",
    "name": "ecr-{account}-{base}",
    "provider": "pack",
    "match": {
        "repositories": ["team-*"],
        "accounts": [OTHER.account],
        "role": f"arn:aws:iam::{{account}}:role/{ROLE}",
    },
    "credentials": {"kind": "none"},
}
NAME = "team-a/spectro-packs/archive/nginx"


def _make_role(sandbox: Sandbox, *, trusted: str) -> str:
    iam = sandbox.aws.client("iam", account=OTHER.account)
    statement = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{trusted}:root"}, "Action": "sts:AssumeRole"}
    trust = {"Version": "2012-10-17", "Statement": [statement]}
    arn = iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    reading = {"Effect": "Allow", "Action": ["ecr:DescribeRepositories", "ecr:ListTagsForResource"], "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": [reading]}
    iam.put_role_policy(RoleName=ROLE, PolicyName="read", PolicyDocument=json.dumps(policy))
    return str(arn)


def test_registry_is_made_when_the_role_of_the_other_account_may_be_assumed() -> None:
    """ECR is asked as that role, for the event's repository and for a new definition's."""
    with Sandbox([DEFINITION]) as sandbox:
        assert sandbox.vertex is not None
        _make_role(sandbox, trusted=sandbox.aws.account)
        sandbox.activity.create_repository(NAME, place=OTHER)
        sandbox.settle()
        assert [r.name for r in sandbox.vertex.registries()] == [f"ecr-{OTHER.account}-team-a"]
        assert len(sandbox.aws.requests.calls("sts", "AssumeRole")) == 1
        helm = DEFINITION | {"provider": "helm", "name": "helm-{base}"}
        document = {key: value for key, value in helm.items() if key != "id"}
        sandbox.activity.put_parameter("/registry-autopilot/registries/helm", json.dumps(document))
        sandbox.settle()
        assert len(sandbox.vertex.registries()) == 2
        assert not sandbox.notices()


def test_admin_is_told_when_the_role_of_the_other_account_may_not_be_assumed() -> None:
    """The event's own word is taken, and one incident says what is missing."""
    with Sandbox([DEFINITION]) as sandbox:
        _make_role(sandbox, trusted="999999999999")
        sandbox.activity.create_repository(NAME, place=OTHER)
        sandbox.settle()
        assert {n.attributes["cause"] for n in sandbox.notices()} == {"access-denied"}
        assert OTHER.account in sandbox.notices()[0].body
