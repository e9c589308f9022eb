"""The operations on registries, in the order in which the API description lists them."""

import threading
from typing import Any

from sandbox.vertex import views
from sandbox.vertex.behaviour import Behaviour
from sandbox.vertex.errors import OPERATIONAL, ApiError
from sandbox.vertex.journal import Journal
from sandbox.vertex.specs import check_update, read_body, read_spec
from sandbox.vertex.store import RegistryStore, StoredRegistry
from sandbox.vertex.syncs import Syncs
from sandbox.vertex.validation import Validator


class RegistryService:
    """What an authorised administrator can do; named after the API's operation ids."""

    def __init__(
        self, store: RegistryStore, syncs: Syncs, validator: Validator, journal: Journal, behaviour: Behaviour
    ) -> None:
        self._store = store
        self._syncs = syncs
        self._validator = validator
        self._journal = journal
        self._behaviour = behaviour
        self._writing = threading.Lock()
        self._validated: set[str] = set()

    def validate(self, type_: str, raw: object) -> None:
        """`v1EcrRegistriesValidate`, `v1BasicOciRegistriesValidate`: reads the spec, then really tries it."""
        self._validator.validate(read_spec(type_, raw, self._behaviour))
        self._validated.add(self._journal.digest(raw))

    def create(self, type_: str, raw: Any, *, skip_sync: bool) -> str:
        """`v1EcrRegistriesCreate`, `v1BasicOciRegistriesCreate`: the uid. Credentials are not tried here."""
        body = read_body(type_, raw, self._behaviour)
        self._check_validated(raw)
        registry = self._store.add(
            StoredRegistry(
                uid="",
                type=type_,
                name=body.metadata.name or "",
                spec=raw["spec"],
                synchronize=body.spec.is_sync_supported,
                labels=body.metadata.labels or {},
                annotations=body.metadata.annotations or {},
            )
        )
        if registry.synchronize and not skip_sync:
            self._syncs.begin(registry.uid, "create")
        return registry.uid

    def get(self, type_: str, uid: str) -> dict[str, Any]:
        """`v1EcrRegistriesUidGet`, `v1BasicOciRegistriesUidGet`: secrets masked."""
        registry = self._store.get(uid, type_)
        return views.typed(registry, self._syncs.status(registry))

    def update(self, type_: str, uid: str, raw: Any) -> None:
        """`v1EcrRegistriesUidUpdate`, `v1BasicOciRegistriesUidUpdate`: replaces the whole object, tries nothing."""
        with self._writing:
            registry = self._store.get(uid, type_)
            _refuse_default(registry)
            body = read_body(type_, raw, self._behaviour)
            check_update(
                name=registry.name,
                spec=body.spec,
                body=body,
                provider=registry.provider,
                synchronize=registry.synchronize,
                is_from_4_10=self._behaviour.is_from("4.10"),
            )
            self._check_validated(raw)
            labels, annotations = body.metadata.labels or {}, body.metadata.annotations or {}
            self._store.change(uid, spec=raw["spec"], labels=labels, annotations=annotations)

    def delete(self, uid: str, type_: str | None = None) -> None:
        """`v1EcrRegistriesUidDelete`, `v1BasicOciRegistriesUidDelete`, `v1RegistriesUidDelete`."""
        _refuse_default(self._store.get(uid, type_))
        self._store.remove(uid)

    def sync(self, type_: str, uid: str, *, force: bool) -> None:
        """`v1EcrRegistriesUidSync`, `v1BasicOciRegistriesUidSync`; `forceSync` exists since 4.9.14."""
        force = force and self._behaviour.is_from("4.9.14")
        self._syncs.request(self._store.get(uid, type_), force=force)

    def sync_status(self, type_: str, uid: str) -> dict[str, Any]:
        """`v1EcrRegistriesUidSyncStatus`, `v1BasicOciRegistriesUidSyncStatus`."""
        return self._syncs.status(self._store.get(uid, type_))

    def summary(self) -> list[dict[str, Any]]:
        """`v1OciRegistriesSummary`."""
        return [views.summary(registry, self._syncs.status(registry)) for registry in self._store.all()]

    def metadata(self, scope: str) -> list[dict[str, Any]]:
        """`v1RegistriesMetadata`."""
        return [views.listed(registry) for registry in self._store.all() if scope in {"all", registry.scope}]

    def flat(self, uid: str) -> dict[str, Any]:
        """`v1OciRegistriesGet`."""
        return views.flat(self._store.get(uid))

    def _check_validated(self, raw: Any) -> None:
        if self._behaviour.reject_unvalidated and self._journal.digest(raw["spec"]) not in self._validated:
            words = "spec was not validated before; this stand-in was told to insist on it"
            raise ApiError(OPERATIONAL, "RegistrySpecNotValidated", words)


def _refuse_default(registry: StoredRegistry) -> None:
    if registry.is_default:
        words = f"default registry '{registry.name}' cannot be changed"
        raise ApiError(OPERATIONAL, "DefaultRegistryNotEditable", words)
