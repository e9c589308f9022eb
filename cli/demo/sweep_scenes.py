"""The scenes of the demo that are about the sweep: what no event told, what somebody deleted, what an admin edits."""

import json

from cli.demo.stage import Stage
from sandbox.aws.seeds import PULL_SECRET
from sandbox.stack import DEFINITIONS_PATH

PACKS = "spectro-packs/archive"  # where VerteX looks for packs under a base content path
_TEAM_A = "ecr-123456789012-us-east-1-team-a"
_TEAM_H = "ecr-123456789012-us-east-1-team-h"
_CHARTS = "Helm charts (made by hand)"
_TWO = 2  # registries, channels, lists
_REFRESH = 3  # requests: GET, validate, PUT
_LONG_AGO = 1200  # seconds; an event that was going to come has come by then


def an_existing_installation_is_looked_at(stage: Stage) -> None:
    """The first run over what there is already: observe, plan, then act, apply."""
    stage.say("Repositories were there before Autopilot, so no event told of them. The mode is observe.")
    stage.set_mode("observe")
    stage.create_silently(f"team-g/{PACKS}/app", f"team-h/{PACKS}/app")
    stage.wait(_LONG_AGO)
    planned = stage.plan()
    created = sorted(e["name"] for e in planned["entries"] if e["action"] == "create")
    stage.claim("`autopilot plan` shows the two registries it would create", len(created) == _TWO)
    stage.claim(
        "looking wrote nothing, and asked VerteX for two lists", not stage.writes() and len(stage.requests()) == _TWO
    )
    stage.say("The admin is content, sets the mode to act, and applies.")
    stage.set_mode("act")
    stage.apply()
    stage.claim("both are there", all(stage.registry(name) is not None for name in created))
    stage.claim("another sweep finds nothing to do", not stage.plan()["pending"])


def a_registry_is_deleted_in_the_console(stage: Stage) -> None:
    """Somebody deletes a registry in the console: it is told, and restored when an admin asks for it."""
    before = stage.registry(_TEAM_H)
    if before is None:
        stage.claim(f"{_TEAM_H} is there to be deleted", holds=False)
        return
    stage.say(f"Somebody deletes {_TEAM_H} in VerteX's console. That may be an incident response: nothing is undone.")
    stage.vertex.remove_registry(before.uid)
    stage.apply(rhythm="health")
    stage.claim("the sweep tells it once on each channel", len(stage.notices("open", "drifted")) == _TWO)
    stage.claim("it is not made again", stage.registry(_TEAM_H) is None and not stage.writes())
    stage.say(f"`autopilot restore {_TEAM_H}`.")
    stage.restore(_TEAM_H)
    after = stage.registry(_TEAM_H)
    stage.claim("it is there again, under a new uid", after is not None and after.uid != before.uid)
    stage.claim("the incident is over", len(stage.notices("resolved", "drifted")) == _TWO)


def a_definition_is_edited(stage: Stage) -> None:
    """An admin edits a definition: its registry follows at once, in place."""
    before = stage.registry(_CHARTS)
    stage.say("The charts are to be read with the access key instead of the role.")
    document = {
        "name": "platform-charts",
        "provider": "helm",
        "base_content_path": "charts",
        "credentials": {"kind": "access-key", "secret": PULL_SECRET},
    }
    stage.put_definition(f"{DEFINITIONS_PATH}/charts", json.dumps(document))
    after = stage.registry(_CHARTS)
    same = before is not None and after is not None and before.uid == after.uid
    stage.claim("the same registry has other credentials", same and before != after)
    stage.claim("validated and written in three requests", len(stage.requests()) == _REFRESH)
