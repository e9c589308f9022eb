"""The `autopilot` command, for people: sandbox and deployed stacks alike."""
