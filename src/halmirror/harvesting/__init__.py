"""Harvesting: asking repositories, page by page, and committing what they give."""
