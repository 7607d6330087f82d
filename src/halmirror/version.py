"""The one place that says which halmirror this is."""

__version__ = "0.1.0"
