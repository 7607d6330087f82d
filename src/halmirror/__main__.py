"""``python -m halmirror`` is the ``halmirror`` command."""

from halmirror.cli import main

main()
