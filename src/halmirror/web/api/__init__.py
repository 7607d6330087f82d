"""The HTTP API under ``/api/v1``: what the commands answer, for programs in any language."""
