"""Keeps the system-level OCI registries of Palette VerteX in step with Amazon ECR and AWS Secrets Manager."""
