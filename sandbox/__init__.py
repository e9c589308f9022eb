"""The embedded sandbox: local AWS, a strict stand-in for VerteX, a Slack receiver, a runner for functions."""
