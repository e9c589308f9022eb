"""Observe: everything that should be and everything that is, with as few requests as that takes.

VerteX answers two lists for any number of registries; a typed object is read only where an asked identity has no
registry in the ledger and VerteX has one at the same place that was not looked into before. Of secrets only the ids of
their current versions are asked for.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from registry_autopilot import causes
from registry_autopilot.causes import AutopilotError
from registry_autopilot.definitions import Definition
from registry_autopilot.desired import desired_registry, secret_uses
from registry_autopilot.events import Repository
from registry_autopilot.incidents import Story
from registry_autopilot.matching import Lead, Place, leads, location_of, wanted_endpoint, winner
from registry_autopilot.planning import Asked, Observation
from registry_autopilot.ports import ListedRepository, SecretVersion, SecretVersions
from registry_autopilot.records import KnownUid, RegistryState
from registry_autopilot.registry import RegistryType, SecretRef
from registry_autopilot.steps.attempt import World
from registry_autopilot.steps.find import identity_of, is_as_known
from registry_autopilot.steps.items import is_kept, item_of
from registry_autopilot.steps.reading import tell_broken
from registry_autopilot.steps.shared import end_shared, open_shared
from registry_autopilot.vertex.models import RegistrySummary, StoredRegistry
from registry_autopilot.work import TriggerNote, WorkItem

HEALTH, INVENTORY = "health", "inventory"


@dataclass(frozen=True, slots=True)
class Scope:
    """How far a sweep looks.

    Attributes:
        rhythm: `health` looks at VerteX and the ledger, `inventory` at ECR as well.
        period: seconds between two sweeps of this rhythm.
        swept_at, inventoried_at: when a sweep of any rhythm, and one that looked at ECR, last finished; epoch seconds.
        reprove: nothing that the ledger believes of VerteX counts.
    """

    note: TriggerNote
    rhythm: str
    period: float
    swept_at: float | None
    inventoried_at: float | None
    reprove: bool = False


@dataclass(slots=True)
class Observer:
    """Looks once; what it learns on the way is asked for once."""

    world: World
    versions: SecretVersions
    scope: Scope
    _secrets: dict[str, SecretVersion | None] = field(default_factory=dict)
    _asked: dict[str, Asked] = field(default_factory=dict)
    _seen: set[str] = field(default_factory=set)
    _complete: bool = True

    def look(self) -> Observation:
        """Everything at this moment.

        Raises:
            AutopilotError: VerteX could not be asked.
        """
        world = self.world
        loaded = world.definitions.load()
        tell_broken(world, loaded)
        states = {state.key: state for state in world.ledger.registries()}
        vertex = world.vertex()
        listed = {entry.uid: entry for entry in vertex.registries_metadata()}
        summaries = {summary.uid: summary for summary in vertex.oci_summary() if summary.uid in listed}
        self._ask_for_known(loaded.usable, states.values())
        self._ask_for_fixed(loaded.usable)
        if self.scope.rhythm == INVENTORY:
            self._ask_for_repositories(loaded.usable)
        return Observation(
            now=world.clock(),
            period=self.scope.period,
            swept_at=self.scope.swept_at,
            inventoried_at=self.scope.inventoried_at,
            asked=self._asked,
            states=states,
            seen=frozenset(self._seen) if self.scope.rhythm == INVENTORY and self._complete else None,
            listed=listed,
            summaries=summaries,
            same=self._same(states, {uid: s for uid, s in summaries.items() if uid in listed}),
            protected=frozenset(name.casefold() for name in world.rules.protected),
            reprove=self.scope.reprove,
        )

    def _ask_for_known(self, definitions: tuple[Definition, ...], states: Iterable[RegistryState]) -> None:
        """The registries of the ledger, as long as a definition leads to them."""
        for state in states:
            item = state.work(self.scope.note)
            place = Place(state.endpoint, state.repository)
            try:
                lead = winner(definitions, place, self.world.home, state.identity)
            except AutopilotError as error:
                lead = next(one for one in leads(definitions, place, self.world.home) if one.identity == state.identity)
                self._asked[state.key] = Asked(lead, item, None, error.detail)
                continue
            if lead is not None:
                self._ask(lead, item)

    def _ask_for_fixed(self, definitions: tuple[Definition, ...]) -> None:
        """Basic registries that no repository stands for."""
        for definition in definitions:
            if definition.type is RegistryType.BASIC and definition.endpoint and not definition.is_family:
                place = Place(definition.endpoint, None)
                for lead in leads([definition], place, self.world.home):
                    self._ask(lead, item_of(lead, definition.endpoint, None, self.scope.note, None))

    def _ask_for_repositories(self, definitions: tuple[Definition, ...]) -> None:
        """What lies in ECR, in every account and region that a definition names; each is listed once."""
        home = self.world.home
        places: dict[tuple[str, str, str | None], list[Definition]] = {}
        for definition in definitions:
            for account in definition.match.accounts or (home.account,):
                for region in definition.match.regions or (home.region,):
                    key = (account, region, definition.match.reader(account))
                    places.setdefault(key, []).append(definition)
        for (account, region, role), asking in places.items():
            try:
                for one in self.world.repositories.listed(account, region, role):
                    self._ask_for_one(asking, account, region, role, one)
                end_shared(self.world, f"account:{account}", causes.ACCESS_DENIED)
            except AutopilotError as error:
                self._complete = False
                self._tell_denied(error)

    def _ask_for_one(
        self, asking: list[Definition], account: str, region: str, role: str | None, one: ListedRepository
    ) -> None:
        host = one.uri.partition("/")[0]
        for lead in leads(asking, Place(host, one.name), self.world.home):
            key = lead.identity.key
            if key in self._asked:
                self._seen.add(key)
            elif lead.definition.manage == "full" and is_kept(
                self.world, role, Repository(account, region, one.name, one.uri)
            ):
                self._seen.add(key)
                self._ask(lead, item_of(lead, host, one.name, self.scope.note, None), one.created_at)

    def _ask(self, lead: Lead, item: WorkItem, created_at: float | None = None) -> None:
        if lead.identity.key in self._asked:
            return
        try:
            endpoint = wanted_endpoint(lead.definition, Place(item.endpoint, item.repository))
        except AutopilotError as error:
            self._asked[lead.identity.key] = Asked(lead, item, None, error.detail)
            return
        refs, changed_at = self._refs(lead.definition)
        desired = desired_registry(lead.definition, lead.identity, endpoint, refs) if refs is not None else None
        self._asked[lead.identity.key] = Asked(lead, item, desired, None, created_at, changed_at)

    def _refs(self, definition: Definition) -> tuple[list[SecretRef] | None, float | None]:
        """The secrets of a definition with their current versions, and when the newest came; None: one is missing."""
        refs: list[SecretRef] = []
        changed: list[float] = []
        for use, secret_id in secret_uses(definition):
            version = self._version(secret_id)
            if version is None:
                return None, None
            refs.append(SecretRef(use, version.arn, version.version_id))
            changed += [version.changed_at] if version.changed_at is not None else []
        return refs, max(changed, default=None)

    def _version(self, secret_id: str) -> SecretVersion | None:
        if secret_id not in self._secrets:
            self._secrets[secret_id] = self.versions.current(secret_id)
        return self._secrets[secret_id]

    def _same(
        self, states: dict[str, RegistryState], summaries: dict[str, RegistrySummary]
    ) -> dict[str, list[StoredRegistry]]:
        """Registries of VerteX that have an asked identity which the ledger has no living registry for."""
        managed = {state.uid for state in states.values() if state.uid in summaries}
        missing = {
            key: asked.lead.identity
            for key, asked in self._asked.items()
            if (state := states.get(key)) is None or state.uid not in summaries
        }
        spots = {(one.type, one.provider, one.location) for one in missing.values()}
        near = [s for uid, s in summaries.items() if uid not in managed and _spot(s) in spots]
        known = self.world.ledger.known_uids([summary.uid for summary in near])
        found: dict[str, list[StoredRegistry]] = {}
        for summary in near:
            for key, stored in self._looked_into(summary, known.get(summary.uid), missing.keys()):
                found.setdefault(key, []).append(stored)
        return found

    def _looked_into(
        self, summary: RegistrySummary, known: KnownUid | None, missing: Iterable[str]
    ) -> Iterable[tuple[str, StoredRegistry]]:
        """The registry under its identity's key, if that is missing; read unless it is known to be another one."""
        if known is not None and known.identity_key not in missing and is_as_known(known, summary):
            return
        stored = self.world.vertex().get_registry(summary.type or RegistryType.ECR, summary.uid)
        identity = identity_of(stored) if stored is not None else None
        if stored is None or identity is None:
            return
        known = KnownUid(
            uid=stored.uid, name=stored.name, identity_key=identity.key, last_modified=summary.last_modified
        )
        self.world.ledger.remember_uids([known])
        if identity.key in missing:
            yield identity.key, stored

    def _tell_denied(self, error: AutopilotError) -> None:
        subject = causes.subject_of(error) or "ecr"
        story = Story(what=error.detail, kept="The sweep went on without it.")
        open_shared(self.world, subject, subject.replace(":", " "), error.cause, story)


def _spot(summary: RegistrySummary) -> tuple[RegistryType, object, str] | None:
    """Type, provider and location of a summary; None where its endpoint cannot be read."""
    if summary.type is None or summary.provider is None:
        return None
    try:
        location = location_of(summary.type, summary.endpoint, summary.default_region)
    except ValueError:
        return None
    return (summary.type, summary.provider, location)
