"""Incidents over hours: reminders, problems that come and go, one root behind a thousand registries."""

from dataclasses import replace

from registry_autopilot import causes
from registry_autopilot.incidents import Incident, Story, open_incident
from registry_autopilot.ports import ConcurrentUpdateError, Mode
from registry_autopilot.steps.remind import remind_or_prompt
from tests.support import events
from tests.support.installation import FAMILY, Installation, access_key
from tests.support.ledger import MemoryLedger

NAME = "team-a/spectro-packs/archive/nginx"
SECRET = "vertex/ecr-pull"
HOUR = 3600


def _rotate(site: Installation, word: str) -> None:
    version = site.pipeline.secrets.put(SECRET, access_key(word))
    site.pipeline.deliver(events.secret_changed(SECRET, version, at=site.now))


def test_incident_that_lasts_is_told_again_each_day() -> None:
    """Open, a reminder a day, and its end; nothing in between."""
    with Installation([FAMILY]) as site:
        site.pipeline.remind_after = 24 * HOUR
        site.create(NAME)
        _rotate(site, "bad")
        site.run(73 * HOUR, step=600)
        assert [s[0] for s in site.pipeline.sns.states] == ["open", "update", "update", "update"]
        reminder = site.pipeline.sns.told[-1][1].what
        assert reminder.startswith("This has lasted for 72 hours. ")
        assert reminder.count("This has lasted") == 1
        _rotate(site, "good")
        site.run(48 * HOUR, step=600)
        assert [s[0] for s in site.pipeline.sns.states][-1] == "resolved"
        assert len(site.pipeline.sns.told) == len(site.pipeline.slack.told) == 5


def test_nobody_is_reminded_when_the_setting_is_zero() -> None:
    """Told once, and once that it is over."""
    with Installation([FAMILY]) as site:
        site.create(NAME)
        _rotate(site, "bad")
        site.run(73 * HOUR, step=600)
        assert len(site.pipeline.sns.told) == 1


def test_problem_that_comes_and_goes_is_one_thread_after_the_third_time() -> None:
    """VerteX stumbles every five minutes for two hours: not twenty-four notices; its end is told after quiet."""
    with Installation([FAMILY]) as site:
        site.beyond_the_table = True
        site.create(NAME)
        for word in ("two", "three") * 12:
            site.away()
            _rotate(site, word)
            site.run(120)
            site.back()
            site.run(180)
        told = [s[0] for s in site.pipeline.sns.states]
        assert told == ["open", "resolved", "open", "resolved", "open"]
        assert "3 times within the hour" in site.pipeline.sns.told[-1][1].what
        site.run(2 * HOUR)
        assert [s[0] for s in site.pipeline.sns.states] == [*told, "resolved"]


def test_registry_whose_fault_comes_and_goes_is_one_thread_after_the_third_time() -> None:
    """The same for a registry of its own."""
    with Installation([FAMILY]) as site:
        site.create(NAME)
        for number in range(8):
            _rotate(site, "bad")
            site.run(120)
            _rotate(site, f"good-{number}")
            site.run(120)
        told = [s[0] for s in site.pipeline.sns.states]
        assert told == ["open", "resolved", "open", "resolved", "open"]
        site.run(2 * HOUR)
        assert [s[0] for s in site.pipeline.sns.states] == [*told, "resolved"]
        assert not site.pipeline.ledger.open_incidents()


def test_four_messages_at_most_are_sent_when_vertex_goes_away_under_a_thousand_registries() -> None:
    """One incident opened and one resolved, on two channels; every registry converges afterwards."""
    with Installation([FAMILY | {"max_registries": 1000}]) as site:
        site.create(*(f"team-{n:03}/spectro-packs/archive/x" for n in range(1000)))
        site.away()
        _rotate(site, "two")
        site.run(HOUR)
        site.back()
        site.run(HOUR)
        assert [s[:2] for s in site.pipeline.sns.states] == [
            ("open", "vertex-unavailable"),
            ("resolved", "vertex-unavailable"),
        ]
        assert len(site.pipeline.slack.told) == 2
        keys = {stored["spec"]["credentials"]["accessKey"] for stored in site.vertex.registries.values()}
        assert keys == {"KEY-TWO"}


def test_one_incident_is_kept_when_a_registrys_fault_changes_its_cause() -> None:
    """Three causes, one thread; the same cause in other words says nothing again."""
    with Installation([FAMILY]) as site:
        site.create(NAME)
        codes = iter(["RegistryEndpointUnreachable", "InvalidRegistryCredentials", "RegistryValidationTimeout"])
        for number in range(3):
            code = next(codes)
            site.vertex.rejects = lambda spec, code=code: code  # type: ignore[misc] # bound now
            _rotate(site, f"word-{number}")
            _rotate(site, f"again-{number}")
            site.run(300)
        incidents = {incident.id for incident, _ in site.pipeline.sns.told}
        assert len(incidents) == 1
        assert [s[0] for s in site.pipeline.sns.states] == ["open", "update", "update"]


def test_reminder_prompts_anew_when_a_channel_has_not_told_the_incident_yet() -> None:
    """What was never told is no reminder; what is gone or has just changed is left."""
    with Installation([FAMILY]) as site:
        site.pipeline.slack.refuse = 10**6
        site.create(NAME)
        _rotate(site, "bad")
        (incident_id,) = site.pipeline.ledger.incidents
        site.pipeline.ledger.prompts.clear()
        remind_or_prompt(site.pipeline.world, incident_id, site.now)
        assert site.pipeline.ledger.prompts == [incident_id]
        assert len(site.pipeline.ledger.incidents[incident_id].changes) == 1
        remind_or_prompt(site.pipeline.world, "gone", site.now)
        assert site.pipeline.ledger.prompts == [incident_id]


def test_reminder_gives_way_to_news_of_the_same_moment() -> None:
    """Two writers, one conditional write."""

    class Late(MemoryLedger):
        def commit_incident(self, incident: Incident) -> None:
            raise ConcurrentUpdateError

    with Installation([FAMILY]) as site:
        late = Late()
        incident = open_incident("s", "S", causes.TEST_NOTICE, site.now, Story(what="w", kept="k"))
        late.incidents[incident.id] = incident
        late.announced_seq[incident.id] = incident.seq
        remind_or_prompt(replace(site.pipeline.world, ledger=late), incident.id, site.now)
        assert late.incidents[incident.id] == incident


def test_incident_of_the_mode_ends_when_what_it_held_back_was_refused_for_another_reason() -> None:
    """Held back, then refused, then mended in mode act: nobody is left to end it but the tick."""
    with Installation([FAMILY]) as site:
        site.create(NAME)
        site.pipeline.definitions.current_mode = Mode.OBSERVE
        _rotate(site, "two")
        assert site.pipeline.sns.states[-1][:2] == ("open", "held-back")
        _rotate(site, "bad")
        site.pipeline.definitions.current_mode = Mode.ACT
        _rotate(site, "three")
        site.run(120)
        assert site.pipeline.sns.states[-1][:2] == ("resolved", "held-back")
        assert not [one for one in site.pipeline.ledger.incidents.values() if one.is_open]
