"""The scenes of the demo that are about secrets: rotated well and badly, rolled back, and shared by many."""

from cli.demo.stage import Stage
from sandbox.aws.local import Credentials, make_credentials
from sandbox.aws.seeds import PULL_SECRET

PACKS = "spectro-packs/archive"  # where VerteX looks for packs under a base content path
_TEAM_A = "ecr-123456789012-us-east-1-team-a"
_SHARING = 20  # registries that use the same secret
_PER_REFRESH = 3  # requests: GET, validate, PUT
_TOO_MANY = 429
_HOURS = 2 * 3600  # a third incident on one secret within the hour would be told as one that comes and goes


def a_secret_is_rotated(stage: Stage) -> None:
    """A secret is rotated well: VerteX has the new key within seconds, proven before it is applied."""
    before = stage.registry(_TEAM_A)
    new_key = stage.new_pull_key()
    stage.say(f"A rotation puts a new access key into {PULL_SECRET}.")
    stage.put_secret(PULL_SECRET, as_secret(new_key))
    after = stage.registry(_TEAM_A)
    changed = before is not None and after is not None and before.credential_digest != after.credential_digest
    stage.claim("the registry has the new key", changed)
    steps = [(entry.method, entry.path.rpartition("/")[2]) for entry in stage.requests()]
    stage.claim(
        "read, validated, written: three requests in this order",
        [method for method, _ in steps] == ["GET", "POST", "PUT"] and steps[1][1] == "validate",
    )
    stage.claim("nobody was told, because nothing is wrong", not stage.notices())


def a_bad_rotation_is_rolled_back(stage: Stage) -> None:
    """A rotation to a bad value changes nothing; the label is moved back, and all is as it was."""
    before = stage.registry(_TEAM_A)
    stage.say("The next rotation stores a key that AWS does not know. An admin is told what was kept.")
    stage.put_secret(PULL_SECRET, as_secret(make_credentials()))
    told = stage.notices("open", "credentials-rejected")
    stage.claim("one message to SNS and one to Slack", sorted(n["channel"] for n in told) == ["slack", "sns"])
    stage.claim("the version applied last stays in use", stage.registry(_TEAM_A) == before and not stage.writes())
    stage.say("The admin moves AWSCURRENT back to the version before.")
    stage.roll_back_secret(PULL_SECRET)
    stage.claim("the registry is right again without a write", stage.registry(_TEAM_A) == before and not stage.writes())
    ended = stage.notices("resolved", "credentials-rejected")
    stage.claim("both channels say that it is over", sorted(n["channel"] for n in ended) == ["slack", "sns"])


def a_rotation_fails(stage: Stage) -> None:
    """The rotation function itself fails: an admin hears which registries depend on the secret."""
    stage.apply(rhythm="health")  # as its schedule would
    stage.wait(_HOURS)
    before = len(stage.requests())
    stage.say("Hours later Secrets Manager reports RotationFailed. The secret's value has not changed.")
    stage.fail_rotation(PULL_SECRET)
    told = stage.notices("open", "rotation-failed")
    stage.claim(f"the notice names {_TEAM_A}, which depends on it", told and all(_TEAM_A in n["body"] for n in told))
    stage.claim("no request was sent to VerteX", len(stage.requests()) == before)
    stage.say("The function is mended and the rotation repeated.")
    stage.put_secret(PULL_SECRET, as_secret(stage.new_pull_key()))
    stage.claim("the registry has the new key", len(stage.requests("PUT")) >= 1)
    stage.claim("the incident is over", stage.notices("resolved", "rotation-failed"))


def one_secret_is_used_by_many(stage: Stage) -> None:
    """One secret is used by twenty registries: all are refreshed, in order and below the rate limit."""
    stage.say(f"Teams join until {_SHARING} registries use {PULL_SECRET}.")
    missing = _SHARING - len(stage.users_of(PULL_SECRET))
    stage.create_repositories(*(f"team-x{number:02}/{PACKS}/app" for number in range(missing)))
    users = stage.users_of(PULL_SECRET)
    stage.claim(f"{_SHARING} registries use the secret", len(users) == _SHARING)
    first = len(stage.requests())
    stage.say("The secret is rotated.")
    stage.put_secret(PULL_SECRET, as_secret(stage.new_pull_key()))
    rotation = stage.requests()[first:]
    puts = [entry for entry in rotation if entry.method == "PUT"]
    stage.claim(f"{_SHARING} registries were refreshed", len(puts) == _SHARING)
    most = _SHARING * _PER_REFRESH
    stage.claim(f"that took {len(rotation)} registry requests, at most {most}", len(rotation) <= most)
    stage.claim("none was over the rate limit", _TOO_MANY not in {entry.status for entry in rotation})


def as_secret(key: Credentials) -> dict[str, str]:
    """An access key as people store it."""
    return {"accessKeyId": key.access_key_id, "secretAccessKey": key.secret_access_key}
