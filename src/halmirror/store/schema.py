"""The schema of the mirror's SQLite file, as ordered migrations.

The file is recognised by SQLite's ``application_id``; ``user_version`` counts the migrations it
has had.  ``docs/store.md`` explains each table.  Nothing here is undone: a new release adds
migrations at the end.
"""

from __future__ import annotations

APPLICATION_ID = 0x48414C4D
"""``HALM`` in ASCII: what SQLite's header says of whose file it is."""

_FIRST = """
CREATE TABLE run (
  id INTEGER PRIMARY KEY,
  command TEXT NOT NULL,
  started TEXT NOT NULL,
  finished TEXT,
  outcome TEXT,
  report TEXT
) STRICT;

CREATE TABLE "commit" (
  seq INTEGER PRIMARY KEY,
  at TEXT NOT NULL,
  run INTEGER NOT NULL REFERENCES run (id),
  last_state INTEGER NOT NULL
) STRICT;

CREATE TABLE source (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  base_url TEXT NOT NULL,
  profile TEXT NOT NULL,
  identify BLOB,
  statement TEXT,
  come_back_at TEXT
) STRICT;

CREATE TABLE stream (
  id INTEGER PRIMARY KEY,
  source INTEGER NOT NULL REFERENCES source (id),
  prefix TEXT NOT NULL,
  set_spec TEXT NOT NULL,
  planned_from TEXT,
  planned_until TEXT,
  last_success TEXT,
  first_complete_at TEXT,
  reconciled_at TEXT,
  announced INTEGER,
  announced_at TEXT,
  UNIQUE (source, prefix, set_spec)
) STRICT;

CREATE TABLE harvest_window (
  id INTEGER PRIMARY KEY,
  stream INTEGER NOT NULL REFERENCES stream (id),
  kind TEXT NOT NULL CHECK (kind IN ('plan', 'extra', 'full', 'reconcile')),
  from_day TEXT,
  until_day TEXT,
  part TEXT,
  state TEXT NOT NULL CHECK (state IN ('open', 'closed')),
  reason TEXT,
  token TEXT,
  token_at TEXT,
  cursor INTEGER,
  page_size INTEGER,
  announced_first INTEGER,
  announced_last INTEGER,
  received INTEGER NOT NULL DEFAULT 0,
  quarantined INTEGER NOT NULL DEFAULT 0,
  distinct_records INTEGER,
  attempts INTEGER NOT NULL DEFAULT 0,
  opened_at TEXT NOT NULL,
  closed_at TEXT,
  answer TEXT
) STRICT;
CREATE INDEX harvest_window_open ON harvest_window (stream) WHERE state = 'open';

CREATE TABLE document (
  id INTEGER PRIMARY KEY,
  source INTEGER NOT NULL REFERENCES source (id),
  local_id TEXT NOT NULL,
  UNIQUE (source, local_id)
) STRICT;
CREATE INDEX document_local_id ON document (local_id);

CREATE TABLE content (
  id INTEGER PRIMARY KEY,
  document INTEGER NOT NULL REFERENCES document (id),
  version INTEGER NOT NULL,
  digest BLOB NOT NULL,
  prefix TEXT NOT NULL,
  rules INTEGER NOT NULL,
  frame BLOB NOT NULL,
  UNIQUE (document, version, digest)
) STRICT;

CREATE TABLE dictionary (
  id INTEGER PRIMARY KEY,
  bytes BLOB NOT NULL
) STRICT;

CREATE TABLE set_list (
  id INTEGER PRIMARY KEY,
  specs TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE state (
  id INTEGER PRIMARY KEY,
  document INTEGER NOT NULL REFERENCES document (id),
  version INTEGER NOT NULL,
  content INTEGER REFERENCES content (id),
  oai_identifier TEXT,
  datestamp TEXT NOT NULL,
  sets INTEGER NOT NULL REFERENCES set_list (id),
  status TEXT NOT NULL CHECK (status IN ('active', 'deleted', 'withdrawn', 'superseded')),
  followed_by TEXT,
  first_seq INTEGER NOT NULL REFERENCES "commit" (seq),
  end_seq INTEGER REFERENCES "commit" (seq),
  run INTEGER NOT NULL REFERENCES run (id)
) STRICT;
CREATE INDEX state_by_document ON state (document, version, first_seq);

CREATE TABLE datestamp_note (
  state INTEGER NOT NULL REFERENCES state (id),
  seq INTEGER NOT NULL REFERENCES "commit" (seq),
  datestamp TEXT NOT NULL,
  PRIMARY KEY (state, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE listed (
  harvest_window INTEGER NOT NULL REFERENCES harvest_window (id),
  document INTEGER NOT NULL,
  version INTEGER NOT NULL,
  PRIMARY KEY (harvest_window, document, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE withheld (
  harvest_window INTEGER NOT NULL REFERENCES harvest_window (id),
  oai_identifier TEXT NOT NULL,
  reason TEXT NOT NULL,
  PRIMARY KEY (harvest_window, oai_identifier)
) STRICT, WITHOUT ROWID;

CREATE TABLE vanished (
  harvest_window INTEGER NOT NULL REFERENCES harvest_window (id),
  state INTEGER NOT NULL REFERENCES state (id),
  verdict TEXT NOT NULL CHECK (verdict IN ('withdrawn', 'merged', 'there')),
  followed_by TEXT,
  PRIMARY KEY (harvest_window, state)
) STRICT, WITHOUT ROWID;

CREATE TABLE identifier (
  scheme TEXT NOT NULL,
  value TEXT NOT NULL,
  document INTEGER NOT NULL REFERENCES document (id),
  PRIMARY KEY (scheme, value, document)
) STRICT, WITHOUT ROWID;

CREATE TABLE quarantine (
  id INTEGER PRIMARY KEY,
  stream INTEGER NOT NULL REFERENCES stream (id),
  harvest_window INTEGER REFERENCES harvest_window (id),
  digest BLOB NOT NULL,
  identifier TEXT,
  position TEXT NOT NULL,
  reason TEXT NOT NULL,
  data BLOB NOT NULL,
  first_at TEXT NOT NULL,
  last_at TEXT NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 1,
  resolved_at TEXT,
  UNIQUE (stream, digest)
) STRICT;

CREATE TABLE derived (
  name TEXT PRIMARY KEY,
  upto INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE facet (
  kind TEXT NOT NULL,
  value TEXT NOT NULL,
  chunk INTEGER NOT NULL,
  bits BLOB NOT NULL,
  PRIMARY KEY (kind, value, chunk)
) STRICT, WITHOUT ROWID;

CREATE TABLE search_entry (
  content INTEGER PRIMARY KEY REFERENCES content (id),
  sort_date INTEGER NOT NULL
) STRICT;
CREATE INDEX search_entry_date ON search_entry (sort_date, content);

CREATE VIRTUAL TABLE search_text USING fts5 (
  title, creator, subject, abstract, other,
  content='', detail='full', tokenize="unicode61 remove_diacritics 0"
);
"""

_CONTENT_BY_RULES = """
CREATE INDEX content_by_rules ON content (rules);
"""

_ENTRIES_AND_SETS = """
DROP TABLE search_text;
DROP TABLE search_entry;
DELETE FROM facet;
DELETE FROM derived WHERE name IN ('content', 'state', 'copy', 'outdated');

CREATE TABLE set_spec (
  id INTEGER PRIMARY KEY,
  spec TEXT NOT NULL UNIQUE
) STRICT;
INSERT INTO set_spec (spec)
  SELECT DISTINCT s.value FROM set_list l, json_each(l.specs) s ORDER BY s.value;
CREATE TEMP TABLE renumbered AS
  SELECT l.id AS former, (
    SELECT json_group_array(n.id) FROM (
      SELECT s.id FROM json_each(l.specs) j JOIN set_spec s ON s.spec = j.value ORDER BY s.id
    ) n
  ) AS sets FROM set_list l;
CREATE TABLE state_of_today (
  id INTEGER PRIMARY KEY,
  document INTEGER NOT NULL REFERENCES document (id),
  version INTEGER NOT NULL,
  content INTEGER REFERENCES content (id),
  oai_identifier TEXT,
  datestamp TEXT NOT NULL,
  sets TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('active', 'deleted', 'withdrawn', 'superseded')),
  followed_by TEXT,
  first_seq INTEGER NOT NULL REFERENCES "commit" (seq),
  end_seq INTEGER REFERENCES "commit" (seq),
  run INTEGER NOT NULL REFERENCES run (id)
) STRICT;
INSERT INTO state_of_today
  SELECT s.id, s.document, s.version, s.content, s.oai_identifier, s.datestamp,
    (SELECT r.sets FROM renumbered r WHERE r.former = s.sets),
    s.status, s.followed_by, s.first_seq, s.end_seq, s.run FROM state s ORDER BY s.id;
DROP TABLE state;
ALTER TABLE state_of_today RENAME TO state;
CREATE INDEX state_by_document ON state (document, version, first_seq);
DROP TABLE renumbered;
DROP TABLE set_list;

ALTER TABLE dictionary ADD COLUMN source INTEGER REFERENCES source (id);
ALTER TABLE dictionary ADD COLUMN last_content INTEGER;

CREATE TABLE forgotten (
  source INTEGER NOT NULL REFERENCES source (id),
  local_id TEXT NOT NULL,
  reason TEXT NOT NULL,
  at TEXT NOT NULL,
  run INTEGER NOT NULL REFERENCES run (id),
  PRIMARY KEY (source, local_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE pruned (
  seq INTEGER PRIMARY KEY REFERENCES "commit" (seq),
  finished INTEGER NOT NULL CHECK (finished IN (0, 1))
) STRICT;

CREATE TABLE entry (
  content INTEGER PRIMARY KEY REFERENCES content (id),
  sort_date INTEGER NOT NULL,
  date TEXT,
  year INTEGER,
  type TEXT,
  title TEXT,
  creators TEXT NOT NULL,
  container TEXT,
  languages TEXT NOT NULL,
  domains TEXT NOT NULL,
  access TEXT,
  licence TEXT
) STRICT;
CREATE INDEX entry_by_date ON entry (sort_date, content);

CREATE VIRTUAL TABLE search_text USING fts5 (
  title, creator, subject, abstract, other,
  content='', detail='full', tokenize="ascii"
);
INSERT INTO search_text (search_text, rank) VALUES ('hashsize', 4194304), ('automerge', 8);

CREATE VIEW records AS
SELECT src.name AS source, d.local_id AS id, s.version, s.status,
  coalesce(s.oai_identifier, 'oai:HAL:' || d.local_id || 'v' || s.version) AS oai_identifier,
  coalesce((SELECT n.datestamp FROM datestamp_note n WHERE n.state = s.id ORDER BY n.seq DESC
    LIMIT 1), s.datestamp) AS datestamp,
  e.type, e.title, e.date, e.year, e.container, e.access, e.licence, c.at AS since,
  s.id AS state, s.content
FROM state s
JOIN document d ON d.id = s.document
JOIN source src ON src.id = d.source
JOIN "commit" c ON c.seq = s.first_seq
LEFT JOIN entry e ON e.content = s.content
WHERE s.end_seq IS NULL;

CREATE VIEW creators AS
SELECT r.source, r.id, r.version, r.status, j.key + 1 AS position,
  CASE WHEN json_array_length(j.value) > 1 THEN json_extract(j.value, '$[0]') END AS family,
  CASE WHEN json_array_length(j.value) > 1 THEN json_extract(j.value, '$[1]') END AS given,
  CASE WHEN json_array_length(j.value) = 1 THEN json_extract(j.value, '$[0]') END AS name
FROM records r JOIN entry e ON e.content = r.content, json_each(e.creators) j;

CREATE VIEW domains AS
SELECT r.source, r.id, r.version, r.status, j.value AS domain
FROM records r JOIN entry e ON e.content = r.content, json_each(e.domains) j;

CREATE VIEW languages AS
SELECT r.source, r.id, r.version, r.status, j.value AS language
FROM records r JOIN entry e ON e.content = r.content, json_each(e.languages) j;

CREATE VIEW sets AS
SELECT r.source, r.id, r.version, r.status, p.spec AS set_spec
FROM records r JOIN state s ON s.id = r.state, json_each(s.sets) j
JOIN set_spec p ON p.id = j.value;

CREATE VIEW identifiers AS
SELECT src.name AS source, d.local_id AS id, i.scheme, i.value
FROM identifier i JOIN document d ON d.id = i.document JOIN source src ON src.id = d.source;

CREATE VIEW history AS
SELECT src.name AS source, d.local_id AS id, s.version, s.status, s.datestamp, s.followed_by,
  e.title, c.at AS since, f.at AS until, run.command, s.run
FROM state s
JOIN document d ON d.id = s.document
JOIN source src ON src.id = d.source
JOIN "commit" c ON c.seq = s.first_seq
LEFT JOIN "commit" f ON f.seq = s.end_seq
JOIN run ON run.id = s.run
LEFT JOIN entry e ON e.content = s.content
WHERE s.end_seq IS NULL
  OR s.end_seq > max(s.first_seq, (SELECT coalesce(max(seq), 0) FROM pruned));
"""
"""Texts are folded before they are indexed: all that is left beyond ASCII are letters and digits,
for which FTS5's tokenizer ``ascii`` takes them, so its words are those of folding.

``hashsize`` (bytes held before a segment is written) holds a batch of the index, and segments are
merged by eight: with FTS5's own 1 MiB and four a record costs two fifths more.
"""

MIGRATIONS: tuple[str, ...] = (_FIRST, _CONTENT_BY_RULES, _ENTRIES_AND_SETS)
"""Each brings a file from version N to N + 1, in one transaction."""

SCHEMA_VERSION = len(MIGRATIONS)
