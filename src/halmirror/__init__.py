"""halmirror: a complete, current and provable local mirror of HAL's metadata."""

__version__ = "0.1.0"
