"""Events of a rotation in any order, doubled or lost, of secrets that move while they are read: one end."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from registry_autopilot.work import TriggerNote
from tests.support import events
from tests.support.installation import FAMILY, Installation, access_key

SECRET = "vertex/ecr-pull"
NAME = "team-a/spectro-packs/archive/nginx"
WORDS = ("one", "two", "three", "bad", "five")

# What happens, in order: the secret gets a value, or its label goes back; and whether it does so during a validate.
_acts = st.lists(st.tuples(st.sampled_from([*WORDS, "back"]), st.booleans()), min_size=1, max_size=5)
# Which of the events so far are delivered after an act, by index; some never are, some many times, old ones late.
_deliveries = st.lists(st.lists(st.integers(0, 20), max_size=4), min_size=5, max_size=5)


class _Watch:
    """Sees every PUT and create, and which key is AWSCURRENT at that moment."""

    def __init__(self, site: Installation) -> None:
        self._site = site
        self.stale: list[tuple[str, str]] = []
        answer = site.vertex._answer

        def watched(method: str, path: str, body: dict[str, Any]) -> Any:
            if method == "PUT" or (method == "POST" and path.endswith("/oci/ecr")):
                sent, current = body["spec"]["credentials"]["accessKey"], self.current
                self.stale += [(sent, current)] if sent != current else []
            return answer(method, path, body)

        site.vertex._answer = watched  # type: ignore[method-assign] # a spy on the fake

    @property
    def current(self) -> str:
        """The access key that is AWSCURRENT."""
        _, text, _ = self._site.pipeline.secrets.versions[SECRET][-1]
        return next(f"KEY-{word.upper()}" for word in WORDS if f'"KEY-{word.upper()}"' in text)


@settings(max_examples=150, deadline=None)
@given(acts=_acts, deliveries=_deliveries)
def test_current_version_is_applied_when_events_come_in_any_order(
    acts: list[tuple[str, bool]], deliveries: list[list[int]]
) -> None:
    """No write ever carried a version that was not AWSCURRENT; in the end VerteX has the current one, if it is good."""
    with Installation([FAMILY]) as site:
        site.beyond_the_table = True
        site.create(NAME)
        watch, emitted = _Watch(site), []
        for (word, during), chosen in zip(acts, deliveries, strict=False):
            emitted.append(_act(site, word, during=during))
            chosen_events = [emitted[i % len(emitted)] for i in chosen]
            site.pipeline.deliver(*chosen_events)
            site.run(60)
        site.vertex.on_validate = None
        _sweep(site)
        assert watch.stale == []
        applied = {s["spec"]["credentials"]["accessKey"] for s in site.vertex.registries.values()}
        if watch.current != "KEY-BAD":
            assert applied == {watch.current}
            assert not site.pipeline.ledger.open_incidents()
        assert "KEY-BAD" not in applied
        assert not site.pipeline.dead
        assert not site.pipeline.queue.poisoned


def _act(site: Installation, word: str, *, during: bool) -> dict[str, Any]:
    """The secret changes now, and, when `during`, once more while VerteX validates the change."""
    version = _move(site, word)
    if during:
        site.vertex.on_validate = lambda: _move(site, "three")
    return events.secret_changed(SECRET, version, at=site.now)


def _move(site: Installation, word: str) -> str:
    secrets = site.pipeline.secrets
    if word != "back":
        return secrets.put(SECRET, access_key(word))
    if len(secrets.versions[SECRET]) > 1:
        secrets.roll_back(SECRET)
    return secrets.versions[SECRET][-1][0]


def _sweep(site: Installation) -> None:
    """Every registry of the ledger is looked at once more, as the sweep does; then what is owed comes due."""
    note = TriggerNote(kind="Swept", event_id=f"sweep-{site.now}", at=site.now)
    site.pipeline.queue.put([state.work(note) for state in site.pipeline.ledger.states.values()])
    site.pipeline.drain()
    site.run(2 * 3600, step=300)
