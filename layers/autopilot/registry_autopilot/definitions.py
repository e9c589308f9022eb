"""What an admin wants: one strict JSON or YAML document per definition. Pure. For readers: docs/definitions.md."""

import json
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator, model_validator

from registry_autopilot import causes
from registry_autopilot.causes import AutopilotError
from registry_autopilot.hosts import normalise_endpoint, parse_ecr_host
from registry_autopilot.registry import CredentialKind, Provider, RegistryType, normalise_base_path

MAX_DOCUMENT_BYTES = 8192  # Parameter Store, advanced tier
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_PLACEHOLDERS = {"account", "region", "base"}
_ID = re.compile(r"[A-Za-z0-9_.-]{1,128}")

Account = Annotated[str, StringConstraints(pattern=r"^[0-9]{12}$")]
Region = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,4}(-[a-z]+)+-[0-9]+$")]
Glob = Annotated[str, StringConstraints(min_length=1, max_length=256)]
RoleArn = Annotated[str, StringConstraints(pattern=r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/\S+$")]
ReaderRole = Annotated[
    str, StringConstraints(pattern=r"^arn:aws[a-z-]*:iam::([0-9]{12}|\{account\}):role/[A-Za-z0-9+=,.@_/-]+$")
]
SecretId = Annotated[str, StringConstraints(min_length=1, max_length=2048, pattern=r"^[A-Za-z0-9/_+=.@:-]+$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Match(_Strict):
    """Which repositories a definition counts; empty lists mean the stack's own account and region.

    `role` is assumed to ask ECR about them, as other accounts want it; `{account}` stands for each account.
    """

    repositories: tuple[Glob, ...] = ()
    accounts: tuple[Account, ...] = ()
    regions: tuple[Region, ...] = ()
    role: ReaderRole | None = None

    def reader(self, account: str) -> str | None:
        """ARN of the role with which ECR is asked about an account; None: the function's own."""
        return self.role.replace("{account}", account) if self.role else None


class SecretPointer(_Strict):
    """A value that is kept in Secrets Manager."""

    secret: SecretId


class NoCredentials(_Strict):
    """A public registry."""

    kind: Literal[CredentialKind.NONE] = CredentialKind.NONE


class SecretCredentials(_Strict):
    """A credential whose value is a secret, given by name or ARN."""

    kind: Literal[CredentialKind.ACCESS_KEY, CredentialKind.USERNAME_PASSWORD, CredentialKind.TOKEN]
    secret: SecretId


class StsCredentials(_Strict):
    """A role that VerteX assumes; the external id is given as such, or as `{secret: …}`."""

    kind: Literal[CredentialKind.STS]
    role: RoleArn
    external_id: SecretPointer | Annotated[str, StringConstraints(min_length=2, max_length=1224)]


class RoleCredentials(_Strict):
    """A role used by VerteX's own pods, or by Autopilot to fetch ECR tokens."""

    kind: Literal[CredentialKind.POD_IDENTITY, CredentialKind.ECR_TOKEN]
    role: RoleArn


Credentials = Annotated[
    NoCredentials | SecretCredentials | StsCredentials | RoleCredentials,
    Field(discriminator="kind"),
]

_KINDS = {
    RegistryType.ECR: {
        CredentialKind.NONE,
        CredentialKind.ACCESS_KEY,
        CredentialKind.STS,
        CredentialKind.POD_IDENTITY,
    },
    RegistryType.BASIC: {
        CredentialKind.NONE,
        CredentialKind.USERNAME_PASSWORD,
        CredentialKind.TOKEN,
        CredentialKind.ECR_TOKEN,
    },
}


_KIND_NAMES = {str(kind) for kind in CredentialKind}


class Tls(_Strict):
    """How VerteX trusts the registry: `ca` is a PEM text, or the name or ARN of a secret that holds one."""

    ca: str | None = None
    insecure_skip_verify: bool = False

    @property
    def ca_pem(self) -> str | None:
        """The CA given in the document itself."""
        return self.ca if self.ca and self.ca.lstrip().startswith("-----BEGIN") else None

    @property
    def ca_secret(self) -> str | None:
        """The secret that holds the CA."""
        return self.ca if self.ca and self.ca_pem is None else None


class Definition(_Strict):
    """One registry, or a family of them (no `base_content_path`: one registry per base path that matches)."""

    id: Annotated[str, StringConstraints(pattern=rf"^{_ID.pattern}$")]
    name: Annotated[str, StringConstraints(min_length=1, max_length=256, strip_whitespace=True)]
    type: RegistryType = RegistryType.ECR
    provider: Provider = Provider.PACK
    synchronize: bool = True
    match: Match = Match()
    base_content_path: str | None = None
    endpoint: str | None = None
    endpoint_form: Literal["as-event", "standard", "fips", "dual-stack", "fips-dual-stack"] = "as-event"
    credentials: Credentials = NoCredentials()
    tls: Tls = Tls()
    manage: Literal["full", "sync-only"] = "full"
    adopt: Literal["report", "refresh"] | None = None
    on_drift: Literal["report", "repair"] = "report"
    max_registries: Annotated[int, Field(ge=1, le=10_000)] = 20

    @property
    def is_family(self) -> bool:
        """Whether base paths are derived from repository names."""
        return self.base_content_path is None

    @property
    def adopts(self) -> bool:
        """Whether a registry that we did not make may be refreshed (default: only with a fixed base path)."""
        return (self.adopt or ("report" if self.is_family else "refresh")) == "refresh"

    @property
    def secret_ids(self) -> tuple[str, ...]:
        """Every secret the definition names, as written: credentials, CA, external id."""
        pointer = getattr(self.credentials, "external_id", None)
        named = (
            getattr(self.credentials, "secret", None),
            self.tls.ca_secret,
            pointer.secret if isinstance(pointer, SecretPointer) else None,
        )
        return tuple(name for name in named if name)

    @field_validator("base_content_path")
    @classmethod
    def _normalise(cls, path: str | None) -> str | None:
        if path is not None and re.search(r"[\s,]", path):
            raise ValueError("must be one path without spaces or commas, such as `team-a` or `/`")
        return None if path is None else normalise_base_path(path)

    @field_validator("endpoint")
    @classmethod
    def _readable(cls, endpoint: str | None) -> str | None:
        if endpoint is not None:
            normalise_endpoint(endpoint)
        return endpoint

    @field_validator("name")
    @classmethod
    def _known_placeholders(cls, name: str) -> str:
        unknown = set(_PLACEHOLDER.findall(name)) - _PLACEHOLDERS
        if unknown or re.search(r"[{}]", _PLACEHOLDER.sub("", name)):
            raise ValueError("may hold the placeholders {account}, {region} and {base} only")
        return name

    @model_validator(mode="after")
    def _consistent(self) -> "Definition":
        for broken, message in self._rules():
            if broken:
                raise ValueError(message)
        return self

    def _rules(self) -> tuple[tuple[bool, str], ...]:
        basic = self.type is RegistryType.BASIC
        kind = self.credentials.kind
        on_ecr = basic and self.endpoint is not None and parse_ecr_host(self.endpoint) is not None
        return (
            (basic and not self.endpoint, "endpoint: a basic registry needs one, such as https://harbor.example.gov"),
            (not basic and self.endpoint is not None, "endpoint: leave it out, an ECR endpoint comes from ECR itself"),
            (basic and self.endpoint_form != "as-event", "endpoint_form: for type ecr only"),
            (not basic and self.provider is Provider.ZARF, "provider: zarf goes with type basic only"),
            (self.provider is Provider.PACK and not self.synchronize, "synchronize: pack needs true"),
            (self.is_family and not self.match.repositories, "match.repositories: a family must name its repositories"),
            (basic and self.is_family and not on_ecr, "base_content_path: a basic registry outside ECR needs one"),
            (
                kind not in _KINDS[self.type],
                f"credentials.kind: {kind} does not go with type {self.type}; use one of "
                + ", ".join(sorted(_KINDS[self.type])),
            ),
            (
                kind is CredentialKind.ECR_TOKEN and not on_ecr,
                "credentials.kind: ecr-token is sent to ECR hosts only; this endpoint is not one",
            ),
        )


def parse_definition(document: object, *, definition_id: str) -> Definition:
    """Read one decoded document.

    Raises:
        AutopilotError: definition-invalid, naming field, value and remedy (values of credentials are not shown).
    """
    if not isinstance(document, Mapping):
        raise _unreadable(definition_id, "must be one mapping with the keys of docs/definitions.md")
    content = dict(document)
    if content.setdefault("id", definition_id) != definition_id:
        raise _unreadable(
            definition_id, f"id: {content['id']!r} differs from the parameter's leaf name; make them equal"
        )
    try:
        return Definition.model_validate(content)
    except ValidationError as error:
        raise _unreadable(definition_id, "; ".join(explain(error))) from None


def parse_document(text: str, *, definition_id: str) -> Definition:
    """Read one JSON text, as Parameter Store holds it.

    Raises:
        AutopilotError: definition-invalid.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise _unreadable(definition_id, "is not JSON; write the parameter's value as one JSON document") from None
    return parse_definition(document, definition_id=definition_id)


def invalid(definition_id: str, message: str) -> AutopilotError:
    """The error for a definition that cannot be used for the registry at hand."""
    return AutopilotError(causes.DEFINITION_INVALID, f"definition {definition_id}: {message}")


def _unreadable(definition_id: str, message: str) -> AutopilotError:
    """The error for a definition that cannot be used at all: an incident of its own, not of one registry."""
    error = invalid(definition_id, message)
    error.subject = f"definition:{definition_id}"
    return error


def explain(error: ValidationError) -> list[str]:
    """Each problem as `field: value: what to do`; values under `credentials` and of unknown keys stay hidden."""
    return [_explain_one(problem) for problem in error.errors(include_url=False)]


def _explain_one(problem: Any) -> str:
    path = ".".join(str(part) for part in problem["loc"] if str(part) not in _KIND_NAMES)
    message = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "union_tag_invalid":  # its message quotes what was given
        return f"{path}.kind: is none of {', '.join(sorted(_KIND_NAMES))}"
    if problem["type"] == "extra_forbidden":
        return f"{path}: unknown key; remove it or correct its spelling"
    shown = str(problem["input"])
    hidden = not path or path.startswith("credentials") or problem["type"] in {"missing", "union_tag_not_found"}
    hidden = hidden or "@" in shown  # an endpoint may carry a user name and password
    value = "" if hidden else f" {shown[:60]!r}:"
    return f"{path}:{value} {message}" if path else message


def json_schema() -> dict[str, Any]:
    """The JSON Schema of one definition, exported to docs/."""
    return Definition.model_json_schema()
