"""The mirror as an OAI-PMH 2.0 data provider: from the arguments of a request to the answer.

    with Mirror(path) as mirror:
        answer([("verb", "Identify")], mirror, Repository("https://example.org/oai"))

No HTTP here: `halmirror.web.oai` brings requests and takes answers.  Section numbers are those of
the OAI-PMH 2.0 specification.
"""
