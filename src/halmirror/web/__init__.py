"""The mirror over HTTP: web pages, an API, and what keeps both safe.

It reads only.  ``app`` puts the parts together, ``serving`` runs them in processes, ``guard``
stands before everything, ``readers`` hands mirrors to requests.
"""
