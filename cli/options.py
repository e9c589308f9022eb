"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout; all else goes to stderr.")]
Definitions = Annotated[
    Path | None, typer.Option("--definitions", help="A definitions file (YAML or JSON); default: the sandbox's own.")
]
Secrets = Annotated[
    Path | None, typer.Option("--secrets", help="A mapping of secret names to values (YAML or JSON), for the sandbox.")
]
VertexUrl = Annotated[str | None, typer.Option("--vertex", help="A VerteX of yours instead of the stand-in.")]
Login = Annotated[
    Path | None, typer.Option("--vertex-login", help="A file with its `username` and `password`; else you are asked.")
]
Own = Annotated[bool, typer.Option("--i-own-this-vertex", help="Let a VerteX that is not on this machine be written.")]
Ca = Annotated[Path | None, typer.Option("--ca", help="PEM of the CA that signed VerteX's certificate.")]
Stack = Annotated[
    str | None,
    typer.Option(
        "--stack", help="A deployed stack; default: AUTOPILOT_STACK, as a running sandbox's env file sets it."
    ),
]
Region = Annotated[str | None, typer.Option("--region", help="The stack's region; default: the AWS configuration's.")]
Profile = Annotated[str | None, typer.Option("--profile", help="A profile of your AWS configuration.")]
Reprove = Annotated[
    bool, typer.Option("--reprove", help="Doubt all that the ledger believes: VerteX was restored from a backup.")
]
CHANGES_PENDING = 2
FAILED = 1
