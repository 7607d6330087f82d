"""Snapshots: dated, self-describing, checksummed copies of a mirror that prove themselves.

`halmirror.snapshot.create`, ``verify``, ``restore``, ``difference``, ``keeping`` and ``publish``
are what the commands call; ``layout`` says what a folder is made of.
"""
