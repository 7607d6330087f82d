"""OAI-PMH 2.0 as a harvester meets it.

``protocol`` reads an answer, ``politeness`` says how long to wait, ``transport`` asks over HTTP,
and ``client`` gives Sickle's surface to it.  Importing this package loads none of them.
"""
