"""The scenes of the demo, in the order of the story. Each leaves the sandbox fit for the next."""

from collections.abc import Callable

from cli.demo.rotation_scenes import (
    a_bad_rotation_is_rolled_back,
    a_rotation_fails,
    a_secret_is_rotated,
    as_secret,
    one_secret_is_used_by_many,
)
from cli.demo.stage import Stage
from cli.demo.sweep_scenes import (
    a_definition_is_edited,
    a_registry_is_deleted_in_the_console,
    an_existing_installation_is_looked_at,
)
from sandbox.aws import Place
from sandbox.aws.local import make_credentials
from sandbox.aws.seeds import PULL_SECRET

type Scene = Callable[[Stage], None]

PACKS = "spectro-packs/archive"  # where VerteX looks for packs under a base content path
_TEAM_A = "ecr-123456789012-us-east-1-team-a"
_TEAM_B = "ecr-123456789012-us-east-1-team-b"
_TEAM_C = "ecr-123456789012-us-east-1-team-c"
_BY_HAND = "Helm charts (made by hand)"
_SEEDED = "Pack registry"
_MOST_FOR_500 = 8  # registry requests, promised for 500 repositories under one base path
_MOST_FOR_ADOPTED = 6
_MOST_FOR_SYNC = 2
_MANY = 499
_RETRY_SECONDS = 3600  # the longest wait between two tries while VerteX is away


def a_repository_appears(stage: Stage) -> None:
    """A repository appears in ECR, and its registry in VerteX."""
    stage.say(f"Somebody creates the ECR repository team-a/{PACKS}/nginx. VerteX knows nothing of it yet.")
    stage.create_repositories(f"team-a/{PACKS}/nginx")
    made = stage.registry(_TEAM_A)
    stage.claim(f"VerteX now has the system-level registry {_TEAM_A}", made is not None)
    stage.claim(
        "its base content path is team-a, where VerteX finds the packs", stage.registries_at("team-a") == [made]
    )
    methods = [(entry.method, entry.path.endswith("/validate")) for entry in stage.requests("POST")]
    stage.claim("it was validated first and created after, once each", methods == [("POST", True), ("POST", False)])
    stage.claim("what was created is what was validated", len({e.spec for e in stage.requests("POST")}) == 1)
    stage.claim("VerteX began its first sync by itself", len(stage.syncs("create")) == 1 and not stage.syncs())


def many_repositories_appear(stage: Stage) -> None:
    """499 more repositories appear at once, under the same base path."""
    stage.say("An upload creates a repository per pack. They all lie in the registry that is there already.")
    first = len(stage.journal.registry_requests())
    stage.create_repositories(*(f"team-a/{PACKS}/pack-{number:03}" for number in range(_MANY)))
    total = first + len(stage.requests())
    stage.claim("there is still one registry", len(stage.registries_at("team-a")) == 1)
    stage.claim(f"500 repositories took {total} registry requests, at most {_MOST_FOR_500}", total <= _MOST_FOR_500)


def an_image_is_pushed(stage: Stage) -> None:
    """An image is pushed; VerteX sees it after one sync."""
    stage.say("VerteX lists new content only after a sync, and a sync is dear: so pushes are waited out.")
    stage.push_image(f"team-a/{PACKS}/nginx")
    stage.push_image(f"team-a/{PACKS}/pack-001")
    stage.claim("two pushes, and no request yet: a sync is owed", not stage.requests())
    stage.say("Five quiet minutes pass (on the sandbox's clock).")
    stage.wait_for_sync()
    stage.claim("one sync was started for both", len(stage.syncs()) == 1)
    stage.claim(f"that took at most {_MOST_FOR_SYNC} requests", len(stage.requests()) <= _MOST_FOR_SYNC)


def a_registry_made_by_hand_is_adopted(stage: Stage) -> None:
    """A registry that somebody made in the console is adopted, not doubled."""
    uid = stage.vertex.seed_registry(
        name=_BY_HAND, type="ecr", provider="helm", endpoint=_host(stage), base_content_path="charts"
    )
    before = stage.registry(_BY_HAND)
    stage.say(f"An admin made {_BY_HAND!r} in VerteX's console long ago. A definition now asks for the same registry.")
    stage.create_repositories("charts/ingress")
    found = stage.registries_at("charts")
    stage.claim("there is still one registry, the same one", [registry.uid for registry in found] == [uid])
    stage.claim("it keeps the name the admin gave it", stage.registry(_BY_HAND) is not None)
    after = stage.registry(_BY_HAND)
    changed = before is not None and after is not None and before.credential_digest != after.credential_digest
    stage.claim("it has the definition's role as its credentials, validated first", changed and stage.validates())
    stage.claim(f"that took at most {_MOST_FOR_ADOPTED} requests", len(stage.requests()) <= _MOST_FOR_ADOPTED)


def the_seeded_registry_is_only_synced(stage: Stage) -> None:
    """The installer's own registry is never written, only synced."""
    stage.vertex.seed_registry(name=_SEEDED, endpoint=_host(stage), base_content_path="spectro-packs", by="installer")
    before = stage.registry(_SEEDED)
    stage.say(f"{_SEEDED!r} belongs to the installer: whatever is changed there, the next upgrade changes back.")
    stage.create_repositories(f"spectro-packs/{PACKS}/cilium")
    stage.push_image(f"spectro-packs/{PACKS}/cilium")
    stage.wait_for_sync()
    stage.claim("its new content was synced", len(stage.syncs()) == 1)
    stage.claim("nothing was created or updated, or even validated", not stage.writes() and not stage.validates())
    stage.claim("the registry is as it was", stage.registry(_SEEDED) == before)


def a_bad_credential_is_refused(stage: Stage) -> None:
    """A secret is changed to a key that does not work: nothing is overwritten, and an admin is told why."""
    before = stage.registry(_TEAM_A)
    stage.say(f"The secret {PULL_SECRET} gets an access key that AWS does not know. A fresh key may need two minutes.")
    stage.put_secret(PULL_SECRET, as_secret(make_credentials()))
    stage.claim("the registry in VerteX is as it was: the working key stays in use", stage.registry(_TEAM_A) == before)
    stage.claim("nothing was written", not stage.writes())
    told = sorted(notice["channel"] for notice in stage.notices("open", "credentials-rejected"))
    stage.claim(
        "one message to SNS and one to Slack say what, why, what was kept, what to do", told == ["slack", "sns"]
    )
    stage.say("The admin mends the secret.")
    stage.put_secret(PULL_SECRET, as_secret(stage.sandbox.seeds.pull_key))
    puts = stage.requests("PUT")
    validated = {entry.spec for entry in stage.validates() if entry.status == 204}  # noqa: PLR2004 - No Content
    stage.claim("the registry was validated and refreshed", len(puts) == 1 and validated)
    stage.claim("both channels say that it is over", len(stage.notices("resolved", "credentials-rejected")) == 2)  # noqa: PLR2004 - channels


def vertex_is_away_and_comes_back(stage: Stage) -> None:
    """VerteX is away while events arrive; when it is back, everything is made up for."""
    stage.vertex.faults.down()
    stage.say("VerteX is upgraded and answers nothing. Meanwhile a repository appears and an image is pushed.")
    stage.create_repositories(f"team-b/{PACKS}/redis")
    stage.push_image(f"team-a/{PACKS}/nginx")
    stage.wait_for_sync()
    opened = stage.notices("open")
    stage.claim("one incident about VerteX, told once on each channel", _subjects(opened) == ["vertex", "vertex"])
    stage.vertex.faults.up()
    stage.say("VerteX is back. Nobody does anything.")
    _wait_until_nothing_is_due(stage)
    stage.claim(f"the registry {_TEAM_B} is there", stage.registry(_TEAM_B) is not None)
    stage.claim("the pushed image was synced", len(stage.syncs()) == 1)
    stage.claim("the same incident is resolved", _subjects(stage.notices("resolved")) == ["vertex", "vertex"])
    stage.claim("no event was lost: the dead-letter queues are empty", not stage.sandbox.runner.dead_letters())


def observe_writes_nothing(stage: Stage) -> None:
    """In mode `observe` all is read and validated, and nothing is written."""
    stage.say("The mode parameter is set to observe. A deployed stack starts so; it is the pause switch, too.")
    stage.set_mode("observe")
    stage.create_repositories(f"team-c/{PACKS}/kafka")
    stage.claim("the registry was looked for and validated", len(stage.validates()) == 1)
    stage.claim("nothing was written", not stage.writes() and not stage.syncs())
    told = stage.notices("open", "held-back")
    stage.claim("the notice says what would be done", told and all("would register" in n["body"] for n in told))
    stage.say("The mode is set to act: what was held back was owed, not lost.")
    stage.set_mode("act")
    stage.claim(f"the registry {_TEAM_C} is there", stage.registry(_TEAM_C) is not None)


SCENES: tuple[Scene, ...] = (
    a_repository_appears,
    many_repositories_appear,
    an_image_is_pushed,
    a_registry_made_by_hand_is_adopted,
    the_seeded_registry_is_only_synced,
    a_bad_credential_is_refused,
    a_secret_is_rotated,
    a_bad_rotation_is_rolled_back,
    a_rotation_fails,
    vertex_is_away_and_comes_back,
    observe_writes_nothing,
    an_existing_installation_is_looked_at,
    a_registry_is_deleted_in_the_console,
    a_definition_is_edited,
    one_secret_is_used_by_many,
)


def _host(stage: Stage) -> str:
    return Place(stage.sandbox.aws.account, stage.sandbox.aws.region).registry_host


def _subjects(notices: list[dict[str, str]]) -> list[str]:
    return [notice["subject"] for notice in notices]


def _wait_until_nothing_is_due(stage: Stage) -> None:
    """Each wait ends where the next due time is; an hour at most lies between two."""
    for _ in range(20):
        due = [state.due_at for state in stage.ledger().states.values() if state.due_at is not None]
        if not due:
            return
        stage.wait(min(_RETRY_SECONDS, max(1.0, min(due) - stage.sandbox.clock.now() + 1)))
