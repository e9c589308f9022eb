"""The routes of the stand-in: the part of the published API description that concerns OCI registries."""

import secrets
from collections.abc import Callable
from typing import Any

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.routing import BaseConverter

from sandbox.vertex.auth import AdminAccount
from sandbox.vertex.behaviour import AwsIdentity, Behaviour
from sandbox.vertex.errors import NOT_FOUND, ApiError, bad_request
from sandbox.vertex.journal import LOGIN_PATH
from sandbox.vertex.schema import LoginBody, read
from sandbox.vertex.service import RegistryService

_CREATED, _ACCEPTED, _NO_CONTENT = 201, 202, 204
_TYPED = "/v1/registries/oci/<uid>/<oci:type_>"


class _OciType(BaseConverter):
    regex = "ecr|basic"


class VertexApi:
    """The Flask application; `wsgi` is what a server runs."""

    def __init__(
        self,
        account: AdminAccount,
        service: RegistryService,
        behaviour: Behaviour,
        identity: AwsIdentity | None,
    ) -> None:
        self._account = account
        self._service = service
        self._behaviour = behaviour
        self._identity = identity
        self._app = Flask("vertex-stand-in", static_folder=None)
        self._app.url_map.converters["oci"] = _OciType
        self._app.register_error_handler(ApiError, ApiError.render)
        self._app.register_error_handler(HTTPException, _render_http_error)
        self._app.before_request(self._authorise)
        self._app.after_request(_add_audit_uid)
        self._add_routes()

    @property
    def wsgi(self) -> Flask:
        """The WSGI application."""
        return self._app

    def _add_routes(self) -> None:
        add = self._add
        add("POST", LOGIN_PATH, self._log_in)
        add("GET", "/v1/system/version/installed", lambda: jsonify(version=self._behaviour.version))
        add("GET", "/v1/clouds/aws/account/sts", self._sts_account)
        add("GET", "/v1/registries/metadata", self._metadata)
        add("GET", "/v1/registries/oci/summary", lambda: jsonify(items=self._service.summary()))
        add("POST", "/v1/registries/oci/<oci:type_>/validate", self._validate)
        add("POST", "/v1/registries/oci/<oci:type_>", self._create)
        add("GET", _TYPED, lambda type_, uid: jsonify(self._service.get(type_, uid)))
        add("PUT", _TYPED, self._update)
        add("DELETE", _TYPED, self._delete)
        add("POST", f"{_TYPED}/sync", self._sync)
        add("GET", f"{_TYPED}/sync/status", lambda type_, uid: jsonify(self._service.sync_status(type_, uid)))
        add("GET", "/v1/registries/oci/<uid>", lambda uid: jsonify(self._service.flat(uid)))
        add("DELETE", "/v1/registries/<uid>", self._delete)

    def _add(self, method: str, path: str, view: Callable[..., Response]) -> None:
        self._app.add_url_rule(
            path, f"{method} {path}", view, methods=[method], provide_automatic_options=False, strict_slashes=True
        )

    def _authorise(self) -> None:
        """Everything but the login needs a token, and a role that may manage registries."""
        if request.endpoint is None or request.path == LOGIN_PATH:
            return
        self._account.check_token(request.headers.get("Authorization"))
        self._account.check_role()
        project = request.headers.get("ProjectUid")
        if project is not None and self._behaviour.is_from("4.9.22"):
            raise ApiError(NOT_FOUND, "ProjectNotFoundInTenant", f"project '{project}' was not found")

    def _log_in(self) -> Response:
        body = read(LoginBody, _json_body())
        username = body.username or body.email_id
        if not username:
            raise bad_request("username in body is required")
        return jsonify(self._account.log_in(username, body.password))

    def _sts_account(self) -> Response:
        """`V1AwsAccountStsGet`."""
        partition = _one_of("partition", "aws", ("aws", "aws-us-gov"))
        if self._identity is None:
            raise ApiError(NOT_FOUND, "ResourceNotFound", f"no STS account is configured for partition {partition}")
        account, external_id = self._identity.account_id, self._identity.external_id
        return jsonify(accountId=account, externalId=external_id, partition=partition)

    def _metadata(self) -> Response:
        scope = _one_of("scope", "all", ("system", "tenant", "all"))
        return jsonify(items=self._service.metadata(scope))

    def _validate(self, type_: str) -> Response:
        self._service.validate(type_, _json_body())
        return Response(status=_NO_CONTENT)

    def _create(self, type_: str) -> Response:
        uid = self._service.create(type_, _json_body(), skip_sync=_flag("skipPackSync"))
        response = jsonify(uid=uid)
        response.status_code = _CREATED
        return response

    def _update(self, type_: str, uid: str) -> Response:
        self._service.update(type_, uid, _json_body())
        return Response(status=_NO_CONTENT)

    def _delete(self, uid: str, type_: str | None = None) -> Response:
        self._service.delete(uid, type_)
        return Response(status=_NO_CONTENT)

    def _sync(self, type_: str, uid: str) -> Response:
        self._service.sync(type_, uid, force=_flag("forceSync"))
        return Response(status=_ACCEPTED)


def _json_body() -> Any:
    if not request.is_json:
        raise bad_request("Content-Type must be application/json")
    body = request.get_json(silent=True)
    if body is None:
        raise bad_request("body in request is not JSON")
    return body


def _one_of(name: str, default: str, allowed: tuple[str, ...]) -> str:
    value = request.args.get(name, default)
    if value not in allowed:
        raise bad_request(f"{name} in query should be one of {list(allowed)}")
    return value


def _flag(name: str) -> bool:
    return _one_of(name, "false", ("true", "false")) == "true"


def _add_audit_uid(response: Response) -> Response:
    """Writes, validates and syncs carry `AuditUid`, refused ones too: they are what one looks up."""
    if request.method != "GET" and request.path.startswith("/v1/registries"):
        response.headers["AuditUid"] = secrets.token_hex(12)
    return response


def _render_http_error(error: HTTPException) -> Response:
    """What is no route: 404, or 405 with `Allow`."""
    code = "ResourceNotFound" if error.code == NOT_FOUND else "MethodNotAllowed"
    response = ApiError(error.code or NOT_FOUND, code, f"{request.method} {request.path}: {error.name}").render()
    if isinstance(error, MethodNotAllowed):
        response.headers["Allow"] = ", ".join(sorted(error.valid_methods or ()))
    return response
