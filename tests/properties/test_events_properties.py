"""Properties of the parser that hold for every document, hostile ones included."""

import json
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry_autopilot.events import (
    Ignored,
    ImagePushed,
    Repository,
    RepositoryCreated,
    RepositoryDeleted,
    Unrecognised,
    envelope_of,
    parse_body,
    parse_event,
)

SAMPLES = {
    path.stem: json.loads(path.read_text()) for path in sorted((Path(__file__).parents[2] / "events").glob("*.json"))
}
OF_A_REPOSITORY = [
    name
    for name, document in SAMPLES.items()
    if isinstance(parse_event(document), RepositoryCreated | RepositoryDeleted | ImagePushed)
]
TOLD_ONCE = {
    "create-repository-service-event": {
        ("detail", "serviceEventDetails"),
        ("detail", "serviceEventDetails", "repositoryName"),
    },
    "image-push": {("account",), ("region",), ("detail", "repository-name")},
    "image-push-untagged": {("account",), ("region",), ("detail", "repository-name")},
}
"""Places that alone tell a fact: a change there is another event, and no parser could know."""

type Path_ = tuple[str | int, ...]

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
json_values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4), max_leaves=12
)


def repository_of(event: object) -> Repository | None:
    """The repository of a trigger; None for all that leads to none."""
    return event.repository if isinstance(event, RepositoryCreated | RepositoryDeleted | ImagePushed) else None


def paths_of(value: object, at: Path_ = ()) -> list[Path_]:
    """Every place in a document, the document itself left out."""
    items: list[tuple[str | int, object]] = []
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    return [path for key, inner in items for path in [(*at, key), *paths_of(inner, (*at, key))]]


def replaced(document: Any, path: Path_, value: object) -> Any:
    copy = deepcopy(document)
    place = copy
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return copy


def at(document: Any, path: Path_) -> Any:
    for key in path:
        document = document[key]
    return document


def twin_of(document: Any) -> Any:
    """The same event of another repository in another account and region."""
    text = json.dumps(document)
    swaps = {
        "123456789012": "210987654321",
        "us-east-1": "us-west-1",
        "us-gov-west-1": "us-gov-east-1",
        "cn-north-1": "cn-northwest-1",
        "us-iso-east-1": "us-iso-west-1",
        "us-west-2": "eu-west-1",
        "nginx": "redis",
        "podinfo": "podpeek",
    }
    for old, new in swaps.items():
        text = text.replace(old, new)
    return json.loads(text)


@given(json_values)
def test_parsing_never_raises_when_given_any_json(document: object) -> None:
    """Any JSON leads to an answer, alone or in the place of a detail."""
    assert isinstance(parse_event(document), Ignored | Unrecognised)
    parse_event(envelope_of(document))
    for sample in ("create-repository", "put-secret-value", "definition-updated", "image-push"):
        assert isinstance(parse_event(SAMPLES[sample] | {"detail": document}), Ignored | Unrecognised)


@given(st.text() | st.binary() | st.sampled_from(sorted(SAMPLES)).map(lambda name: json.dumps(SAMPLES[name])[:-1]))
def test_parsing_never_raises_when_given_any_body(body: str | bytes) -> None:
    """Any message body leads to an answer, and never to a trigger when it is no whole event."""
    assert isinstance(parse_body(body), Unrecognised)


@given(st.sampled_from(sorted(SAMPLES)), st.data(), json_values)
def test_parsing_never_raises_when_one_place_of_a_sample_is_anything(
    name: str, data: st.DataObject, value: object
) -> None:
    """One hostile value anywhere in an event leads to an answer, told in printable words."""
    path = data.draw(st.sampled_from(paths_of(SAMPLES[name])))
    event = parse_event(replaced(SAMPLES[name], path, value))
    assert not isinstance(event, Ignored | Unrecognised) or (event.reason.isprintable() and len(event.reason) < 1000)


@given(st.sampled_from(OF_A_REPOSITORY), st.data(), json_values)
def test_repository_stays_the_same_when_one_place_is_anything(name: str, data: st.DataObject, value: object) -> None:
    """A hostile value either does no harm or costs the event; it never leads to another repository."""
    document = SAMPLES[name]
    path = data.draw(st.sampled_from([p for p in paths_of(document) if p not in TOLD_ONCE.get(name, set())]))
    own, after = repository_of(parse_event(document)), repository_of(parse_event(replaced(document, path, value)))
    assert own is not None
    assert after in {None, own, replace(own, uri=None)}


@pytest.mark.parametrize("name", OF_A_REPOSITORY)
def test_repository_stays_the_same_when_one_place_is_spliced_from_another_event(name: str) -> None:
    """Not one value, object or list of another event can turn a good event into one of that other repository."""
    document, twin = SAMPLES[name], twin_of(SAMPLES[name])
    own, others = repository_of(parse_event(document)), repository_of(parse_event(twin))
    assert own is not None
    assert others is not None
    assert own.account != others.account
    for path in paths_of(document):
        if path in TOLD_ONCE.get(name, set()) or path == ("detail",):
            continue
        assert repository_of(parse_event(replaced(document, path, at(twin, path)))) in {None, own}, path


@pytest.mark.parametrize("name", [name for name in OF_A_REPOSITORY if name not in TOLD_ONCE])
def test_detail_of_another_account_is_refused_when_spliced_whole(name: str) -> None:
    """A whole detail of another account's event does not pass under this account's envelope."""
    spliced = SAMPLES[name] | {"detail": twin_of(SAMPLES[name])["detail"]}
    assert repository_of(parse_event(spliced)) is None
