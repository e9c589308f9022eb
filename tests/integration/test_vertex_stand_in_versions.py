"""What differs between versions of VerteX, as the release notes say, over HTTP."""

from typing import Any

import pytest

from tests.support.oci import free_port
from tests.support.stand_in import Site, basic_spec, ecr_body, ecr_spec, running

OLD, NEW = "4.9.51", "4.10.1"
HELM = {"providerType": "helm"}


def create(site: Site, **changes: Any) -> str:
    return str(site.create(ecr_body(**changes)).json()["uid"])


@pytest.mark.parametrize("version", [OLD, NEW])
def test_version_is_told_when_asked(version: str) -> None:
    """It can change while the server runs, as by an upgrade."""
    with running(version="4.8.38") as site:
        site.vertex.version = version
        assert site.http.get("/v1/system/version/installed").json() == {"version": version}


@pytest.mark.parametrize("changed", [{"isSyncSupported": False}, {"isSyncSupported": None}])
def test_sync_flag_is_fixed_when_a_helm_registry_is_updated_from_4_10(changed: dict[str, Any]) -> None:
    """A flag that is left out counts as a change to false."""
    with running(version=NEW) as site:
        uid = create(site, **HELM)
        response = site.put(uid, ecr_body(**HELM, **changed))
        assert response.status_code == 400
        assert "synchronization setting cannot be changed" in response.json()["message"]


def test_sync_flag_stays_as_it_was_when_a_helm_registry_is_updated_before_4_10() -> None:
    """204, but what counts is `status`, where nothing changed; the spec says the new value all the same."""
    with running(version=OLD) as site:
        uid = create(site, **HELM)
        assert site.put(uid, ecr_body(**HELM, isSyncSupported=False)).status_code == 204
        stored = site.get(uid)
        assert stored["spec"]["isSyncSupported"] is False
        assert stored["status"]["syncStatus"]["isSyncSupported"] is True
        assert site.sync_status(uid)["isSyncSupported"] is True


@pytest.mark.parametrize("call", ["create", "update"])
@pytest.mark.parametrize(("version", "status"), [(OLD, 500), (NEW, 400)])
def test_missing_name_is_refused_when_a_registry_is_written(call: str, version: str, status: int) -> None:
    """Before 4.10 in the words of a duplicate name."""
    with running(version=version) as site:
        body = {"spec": ecr_spec()}
        response = site.create(body) if call == "create" else site.put(create(site), body)
        assert response.status_code == status
        assert (response.json()["code"] == site.vertex.behaviour.codes.duplicate_name) is (version == OLD)


@pytest.mark.parametrize(("version", "suffix"), [(OLD, "InvalidRegistryCredentials"), (NEW, "Unreachable")])
def test_dead_port_has_its_own_code_when_validated_from_4_10(version: str, suffix: str) -> None:
    """Before 4.10 every failure of validate is called one of credentials."""
    with running(version=version) as site:
        response = site.validate(basic_spec(f"http://127.0.0.1:{free_port()}"))
        assert response.status_code == 500
        assert response.json()["code"].endswith(suffix)
        assert "connection refused" in response.json()["message"]


def test_pod_identity_is_unknown_when_the_version_is_before_4_9_5() -> None:
    """Later it works for the roles that the installation knows."""
    role = "arn:aws:iam::123456789012:role/pods"
    spec = ecr_spec(credentials={"credentialType": "pod-identity", "podIdentity": {"roleArn": role}})
    with running(version="4.9.4", pod_identity_roles=[role]) as site:
        assert site.validate(spec, "ecr").status_code == 400
        site.vertex.version = "4.9.5"
        assert site.validate(spec, "ecr").status_code == 204
        spec["credentials"]["podIdentity"]["roleArn"] += "-of-others"
        assert site.validate(spec, "ecr").json()["code"] == "InvalidRegistryCredentials"
