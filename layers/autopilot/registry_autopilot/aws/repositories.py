"""Amazon ECR: which repositories exist, and which are to be left alone."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from registry_autopilot import causes
from registry_autopilot.causes import AutopilotError
from registry_autopilot.events import Repository
from registry_autopilot.ports import FoundRepository, ListedRepository

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient
    from mypy_boto3_ecr.type_defs import RepositoryTypeDef

_PAGE = 1000  # DescribeRepositories
IGNORE_TAG = ("registry-autopilot", "ignore")
_GONE = {"RepositoryNotFoundException"}
_DENIED = {"AccessDenied", "AccessDeniedException", "UnrecognizedClientException"}


class EcrRepositories:
    """Implements `Repositories`; the client of a region, and of a role in it, is made by `client_for`."""

    def __init__(self, client_for: Callable[[str, str | None], "ECRClient"]) -> None:
        self._client_for = client_for

    def find(self, repository: Repository, role: str | None = None) -> FoundRepository | None:
        """The repository as it is now; None when it is gone.

        Raises:
            AutopilotError: access-denied.
        """
        client = self._client_for(repository.region, role)
        try:
            described = client.describe_repositories(registryId=repository.account, repositoryNames=[repository.name])[
                "repositories"
            ][0]
            tags = client.list_tags_for_resource(resourceArn=described["repositoryArn"])["tags"]
        except ClientError as error:
            _raise_unless_gone(error, repository)
            return None
        ignored = any((tag["Key"], tag["Value"].strip().lower()) == IGNORE_TAG for tag in tags)
        return FoundRepository(uri=described["repositoryUri"], ignored=ignored)

    def listed(self, account: str, region: str, role: str | None = None) -> Iterable[ListedRepository]:
        """Every repository of a registry, page by page.

        Raises:
            AutopilotError: access-denied; unreachable, where no way leads to that region.
        """
        pages = self._client_for(region, role).get_paginator("describe_repositories")
        try:
            for page in pages.paginate(registryId=account, PaginationConfig={"PageSize": _PAGE}):
                yield from map(_listed, page["repositories"])
        except ClientError as error:
            _raise_unless_gone(error, Repository(account, region, "*", None))
        except BotoCoreError as error:
            words = f"ECR of {account} in {region} could not be reached from the function's network"
            raise AutopilotError(
                causes.UNREACHABLE, f"{words} ({type(error).__name__})", subject=f"account:{account}"
            ) from None


def _listed(described: "RepositoryTypeDef") -> ListedRepository:
    created = described.get("createdAt")
    return ListedRepository(
        described["repositoryName"], described["repositoryUri"], created.timestamp() if created else None
    )


def _raise_unless_gone(error: ClientError, repository: Repository) -> None:
    code = error.response["Error"]["Code"]
    if code in _GONE:
        return
    if code in _DENIED:
        raise AutopilotError(
            causes.ACCESS_DENIED,
            f"ECR refused to describe the repository {repository.name} in {repository.account} {repository.region}",
            subject=f"account:{repository.account}",
        ) from None
    raise error
