"""Names and ARNs of secrets: which of them may mean the same one. Pure."""

import re
from dataclasses import dataclass
from typing import Self

_ARN = re.compile(r"arn:[^:]+:secretsmanager:([^:]+):([^:]+):secret:")
_RANDOM_END = re.compile(r"-[A-Za-z0-9]{6}$")


def reference_names(secret_id: str) -> tuple[str, ...]:
    """The names under which the ledger may refer to a secret given by name, partial or full ARN.

    A full ARN ends in `-` and six random characters; a name may look the same, so both readings are returned.
    """
    name = secret_id.split(":secret:", 1)[1] if ":secret:" in secret_id else secret_id
    if ":secret:" in secret_id and _RANDOM_END.search(name):
        return (name[:-7], name)
    return (name,)


@dataclass(frozen=True, slots=True)
class SecretPlace:
    """A secret as its id and the place where it was written down tell it: a name alone means one of that place."""

    account: str
    region: str
    names: tuple[str, ...]

    @classmethod
    def of(cls, secret_id: str, account: str, region: str) -> Self:
        """Read an id that was written down in an account and region; an ARN names its own."""
        if found := _ARN.match(secret_id):
            region, account = found.groups()
        return cls(account, region, reference_names(secret_id))

    def may_be(self, other: Self) -> bool:
        """Whether both may be the same secret."""
        same_place = (self.account, self.region) == (other.account, other.region)
        return same_place and bool(set(self.names) & set(other.names))
