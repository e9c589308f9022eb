"""Create, read, update and delete on the stand-in, over HTTP: strict where a careless client must fail loudly."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.support.stand_in import HOST, Site, basic_spec, ecr_body, ecr_spec, running


@pytest.fixture
def site() -> Iterator[Site]:
    with running() as site:
        yield site


def create(site: Site, **changes: Any) -> str:
    response = site.create(ecr_body(**changes))
    assert response.status_code == 201
    return str(response.json()["uid"])


def test_registry_is_listed_everywhere_when_it_was_created(site: Site) -> None:
    """Each answer shows what the API description gives it, and no more."""
    body = ecr_body(defaultRegion="us-east-1")
    body["metadata"]["labels"] = {"team": "a"}
    uid = site.create(body).json()["uid"]
    (listed,) = site.http.get("/v1/registries/metadata", params={"scope": "system"}).json()["items"]
    assert listed == {
        "uid": uid,
        "name": "packs",
        "scope": "system",
        "kind": "oci",
        "isDefault": False,
        "isPrivate": True,
    }
    (summary,) = site.http.get("/v1/registries/oci/summary").json()["items"]
    assert summary["metadata"]["labels"] == {"team": "a"}
    assert summary["spec"].keys().isdisjoint({"baseContentPath", "credentials"})
    assert (summary["spec"]["registryType"], summary["status"]["sync"]["status"]) == ("ecr", "InProgress")
    flat = site.http.get(f"/v1/registries/oci/{uid}").json()
    assert (flat["endpoint"], flat["type"], "metadata" in flat) == (HOST, "ecr", False)


def test_secrets_are_masked_when_a_registry_is_read(site: Site) -> None:
    """The typed object holds masks, and a TLS block that nobody set."""
    spec = site.get(create(site))["spec"]
    assert (spec["credentials"]["secretKey"], spec["credentials"]["accessKey"]) == ("********", "an-id")
    assert spec["tls"]["enabled"] is True
    body = {"metadata": {"name": "b"}, "spec": basic_spec("h.gov", type="basic", username="u", password="secret")}
    basic = site.create(body, "basic").json()["uid"]
    auth = site.get(basic, "basic")["spec"]["auth"]
    assert (auth["password"], auth["username"], auth["tls"]["insecureSkipVerify"]) == ("********", "u", False)


def test_update_replaces_everything_when_it_is_taken(site: Site) -> None:
    """Whatever the body leaves out is gone; the timestamp moves even within a millisecond."""
    body = ecr_body(defaultRegion="us-east-1")
    body["metadata"]["labels"] = {"team": "a"}
    uid = site.create(body).json()["uid"]
    before = site.get(uid)
    response = site.put(uid, ecr_body(baseContentPath="team-b"))
    assert (response.status_code, response.content) == (204, b"")
    after = site.get(uid)
    assert after["spec"]["baseContentPath"] == "team-b"
    assert "defaultRegion" not in after["spec"]
    assert after["metadata"]["labels"] == {}
    assert after["metadata"]["lastModifiedTimestamp"] > before["metadata"]["lastModifiedTimestamp"]


def test_update_is_taken_when_it_sends_back_what_was_read(site: Site) -> None:
    """The typed object is a legal body once its secrets are put in."""
    uid = create(site)
    stored = site.get(uid)
    stored["spec"]["credentials"]["secretKey"] = "another"
    digest = site.vertex.registries()[0].credential_digest
    assert site.put(uid, stored).status_code == 204
    expected = site.vertex.credential_digest(stored["spec"]["credentials"])
    assert site.vertex.registries()[0].credential_digest == expected != digest


def test_unprotected_registry_needs_no_credentials_when_it_is_public(site: Site) -> None:
    """`isPrivate: false`, with or without a block of credentials, as Terraform's provider sends one."""
    public = {"endpoint": "public.ecr.aws/alias", "isPrivate": False}
    assert site.create(ecr_body("one", **public, credentials=None)).status_code == 201
    assert site.create(ecr_body("two", **public, credentials={"credentialType": "secret"})).status_code == 201
    assert site.validate(ecr_spec(**public, credentials=None), "ecr").status_code == 204


def test_create_is_an_operational_error_when_the_name_is_taken(site: Site) -> None:
    """HTTP 500 with a code, over all types of registries, but not over scopes."""
    site.vertex.seed_registry(name="theirs", endpoint=HOST, base_content_path="a", scope="tenant")
    create(site)
    refused = site.create({"metadata": {"name": "packs"}, "spec": basic_spec("h.gov")}, "basic")
    assert (refused.status_code, refused.json()["code"]) == (500, site.vertex.behaviour.codes.duplicate_name)
    assert site.create(ecr_body("theirs")).status_code == 201


def test_one_is_made_when_many_create_the_same_at_once(site: Site) -> None:
    """Names are unique under concurrency, too."""
    with ThreadPoolExecutor(8) as pool:
        statuses = [response.status_code for response in pool.map(site.create, [ecr_body()] * 16)]
    assert sorted(statuses) == [201] + [500] * 15
    assert len(site.vertex.registries()) == len(site.vertex.syncs()) == 1


def test_metadata_tells_scopes_apart_when_asked(site: Site) -> None:
    """`all` is the default; an unknown scope is a bad request."""
    site.vertex.seed_registry(name="theirs", endpoint=HOST, base_content_path="a", scope="tenant")
    create(site)
    path = "/v1/registries/metadata"
    assert [i["name"] for i in site.http.get(path, params={"scope": "tenant"}).json()["items"]] == ["theirs"]
    assert [i["name"] for i in site.http.get(path).json()["items"]] == ["theirs", "packs"]
    assert site.http.get(path, params={"scope": "mine"}).status_code == 400


@pytest.mark.parametrize("field", ["name", "providerType"])
def test_update_is_refused_when_it_changes_what_is_fixed(site: Site, field: str) -> None:
    """A registry keeps its name and its provider."""
    uid = create(site)
    body = ecr_body("other") if field == "name" else ecr_body(providerType="helm")
    response = site.put(uid, body)
    assert (response.status_code, field in response.json()["message"]) == (400, True)


def test_default_registry_is_left_alone_when_somebody_writes(site: Site) -> None:
    """Neither edited nor deleted, but synchronized."""
    uid = site.vertex.seed_registry(name="packs", endpoint=HOST, base_content_path="a", is_default=True)
    assert site.put(uid, ecr_body()).status_code == 500
    assert site.http.delete(f"/v1/registries/{uid}").status_code == 500
    assert site.sync(uid).status_code == 202


def test_registry_is_gone_when_it_was_deleted(site: Site) -> None:
    """By either of the two paths; a second time is 404."""
    one, two = create(site, name="one"), create(site, name="two")
    assert site.http.delete(f"/v1/registries/oci/{one}/ecr").status_code == 204
    assert site.http.delete(f"/v1/registries/{two}").status_code == 204
    again = site.http.delete(f"/v1/registries/oci/{one}/ecr")
    assert (again.status_code, again.json()["code"]) == (404, "ResourceNotFound")


def test_registry_is_not_found_when_asked_for_as_the_other_type(site: Site) -> None:
    """The two types have paths of their own."""
    uid = create(site)
    assert site.http.get(f"/v1/registries/oci/{uid}/basic").status_code == 404


def test_unknown_paths_answer_as_living_servers_do(site: Site) -> None:
    """404 with the error body; 405 names what is allowed."""
    assert site.http.get("/v1/registries").json()["code"] == "ResourceNotFound"
    refused = site.http.get("/v1/registries/oci")
    assert (refused.status_code, refused.headers["Allow"]) == (405, "DELETE")


def test_audit_uid_is_answered_when_something_is_written(site: Site) -> None:
    """Writes, validates and syncs carry one of their own, refused ones too; reads do not."""
    uid = create(site)
    answers = [site.put(uid, ecr_body()), site.sync(uid), site.create(ecr_body())]
    audit_uids = {answer.headers["AuditUid"] for answer in answers}
    assert len(audit_uids) == 3
    assert audit_uids <= {entry.audit_uid for entry in site.vertex.journal}
    assert "AuditUid" not in site.http.get("/v1/registries/oci/summary").headers


def test_admin_changes_show_when_they_are_made_in_the_console(site: Site) -> None:
    """Seeds, changes and removals bypass the API, and its journal."""
    uid = site.vertex.seed_registry(name="packs", endpoint=HOST, base_content_path="a", labels={"by": "hand"})
    requests = len(site.vertex.journal)
    before = site.vertex.registries()[0]
    site.vertex.change_registry(uid, base_content_path="b", name="renamed")
    after = site.vertex.registries()[0]
    assert (after.name, after.base_content_path, after.labels) == ("renamed", "b", {"by": "hand"})
    assert (after.created_by, after.credential_digest) == ("console", before.credential_digest)
    assert after.modified_at > before.modified_at
    with pytest.raises(ValueError, match="colour"):
        site.vertex.change_registry(uid, colour="red")
    site.vertex.remove_registry(uid)
    assert (site.vertex.registries(), len(site.vertex.journal)) == ([], requests)


def test_sts_account_is_told_when_an_identity_is_configured(site: Site) -> None:
    """Without one the installation has none; the partition is one of two."""
    path = "/v1/clouds/aws/account/sts"
    assert site.http.get(path).status_code == 404
    assert site.http.get(path, params={"partition": "aws-cn"}).status_code == 400


def test_journal_tells_specs_apart_when_they_differ(site: Site) -> None:
    """Same spec, same digest, in validate, create and update; no secret is in it."""
    uid = create(site)
    site.validate(ecr_spec(), "ecr")
    site.put(uid, ecr_body(baseContentPath="team-b"))
    entries = site.vertex.journal.registry_requests()
    created, validated, updated = entries
    assert created.spec == validated.spec != updated.spec
    assert [entry.name for entry in entries] == ["packs", None, "packs"]
    assert (created.uid, updated.uid) == (uid, uid)
    assert "a-secret" not in repr(entries)


def test_writes_are_refused_when_the_test_insists_on_validation() -> None:
    """Only the very spec that was validated may be stored."""
    with running(reject_unvalidated=True) as site:
        spec = ecr_spec(endpoint="public.ecr.aws/alias", isPrivate=False, credentials=None)
        body = {"metadata": {"name": "packs"}, "spec": spec}
        assert site.create(body).status_code == 500
        assert site.validate(spec, "ecr").status_code == 204
        uid = site.create(body).json()["uid"]
        body["spec"] = spec | {"baseContentPath": "team-b"}
        assert site.put(uid, body).status_code == 500
