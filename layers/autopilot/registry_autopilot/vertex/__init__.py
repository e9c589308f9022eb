"""The HTTP client for VerteX: session, client, models, errors."""
