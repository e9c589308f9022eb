"""`autopilot demo`: a story in scenes, each of which checks what it claims."""

from cli.demo.run import run

__all__ = ["run"]
