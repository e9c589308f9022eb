"""Rotations in Secrets Manager, through the deployed template over HTTP: rules, queues, functions, VerteX."""

import json

from cli.demo.rotation_scenes import as_secret
from cli.report import Ledger
from sandbox.aws.local import make_credentials
from sandbox.aws.seeds import ADMIN_SECRET, PULL_SECRET
from sandbox.stack import Sandbox
from sandbox.vertex import VertexStandIn

TEAMS = 12


def _stand_in(sandbox: Sandbox) -> VertexStandIn:
    assert sandbox.vertex is not None
    return sandbox.vertex


def _digests(sandbox: Sandbox) -> set[str | None]:
    return {registry.credential_digest for registry in _stand_in(sandbox).registries()}


def test_label_decides_when_a_secret_is_rotated_rolled_back_and_rotated_again() -> None:
    """Good, bad, back, good: what VerteX holds is AWSCURRENT whenever AWSCURRENT is good."""
    with Sandbox() as sandbox:
        sandbox.activity.create_repository("team-a/spectro-packs/archive/nginx")
        sandbox.settle()
        first = _digests(sandbox)
        sandbox.activity.put_secret(PULL_SECRET, as_secret(make_credentials()))
        sandbox.settle()
        sandbox.pass_time(300, step=60)
        assert _digests(sandbox) == first
        sandbox.activity.roll_back_secret(PULL_SECRET)
        sandbox.settle()
        assert _digests(sandbox) == first
        iam = sandbox.aws.client("iam")
        made = iam.create_access_key(UserName=sandbox.seeds.pull_user)["AccessKey"]
        value = {"access-key-id": made["AccessKeyId"], "secret_access_key": made["SecretAccessKey"]}
        sandbox.activity.put_secret(PULL_SECRET, value)
        sandbox.settle()
        assert _digests(sandbox) != first
        told = [(n.attributes["state"], n.attributes["cause"]) for n in sandbox.notices()]
        assert told == [("open", "credentials-rejected"), ("resolved", "credentials-rejected")]


def test_one_login_is_made_when_all_tokens_die_and_the_admin_secret_is_stale() -> None:
    """Twelve registries wait; one refused login, one incident; the secret is mended and all of them converge."""
    with Sandbox(parameters={"ConvergeWorkers": "4", "VertexRequestsPerSecond": "10"}) as sandbox:
        vertex = _stand_in(sandbox)
        sandbox.activity.create_repository("team-warm/spectro-packs/archive/nginx")
        sandbox.settle()
        vertex.set_password("Changed-in-the-console-2!")
        vertex.kill_tokens()
        logins = len(_logins(vertex))
        for number in range(TEAMS):
            sandbox.activity.create_repository(f"team-{number:02}/spectro-packs/archive/nginx")
        sandbox.settle()
        sandbox.pass_time(600, step=120)
        assert len(_logins(vertex)) - logins == 1
        assert len(vertex.registries()) == 1
        _mend(sandbox)
        assert len(vertex.registries()) == 1 + TEAMS
        assert len(_logins(vertex)) - logins <= 1 + 4  # one for each worker: a token never leaves its function
        assert {s.health for s in Ledger(sandbox.ledger_items()).states.values()} == {"ok"}
        told = [(n.attributes["state"], n.attributes["cause"]) for n in sandbox.notices()]
        assert told == [("open", "login-rejected"), ("resolved", "login-rejected")]
        assert not sum(sandbox.runner.dead_letters().values())


def _logins(vertex: VertexStandIn) -> list[int]:
    return [entry.status for entry in vertex.journal.entries() if entry.path == "/v1/auth/syslogin"]


def _mend(sandbox: Sandbox) -> None:
    """The admin secret gets the password of now, as `Secret Label Updated` tells."""
    secrets = sandbox.aws.client("secretsmanager")
    value = json.loads(secrets.get_secret_value(SecretId=ADMIN_SECRET)["SecretString"])
    sandbox.activity.put_secret(ADMIN_SECRET, value | {"password": "Changed-in-the-console-2!"})
    sandbox.settle()
    sandbox.pass_time(300, step=60)
