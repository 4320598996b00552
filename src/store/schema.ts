/**
 * The tables, one step a version; `user_version` counts the steps taken. A step, once released, is
 * never changed: what it should have been is the next step.
 */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE sessions (
    id TEXT PRIMARY KEY, connection TEXT NOT NULL, connection_type TEXT NOT NULL, subject TEXT NOT NULL,
    issuer TEXT NOT NULL, email TEXT NOT NULL, credential TEXT NOT NULL, correlation_id TEXT NOT NULL,
    started_at TEXT NOT NULL, ended_at TEXT NOT NULL, statements INTEGER NOT NULL, blocked INTEGER NOT NULL,
    approvals INTEGER NOT NULL, file TEXT NOT NULL, head TEXT NOT NULL, events INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX sessions_by_start ON sessions (started_at, id);
  CREATE INDEX sessions_by_correlation ON sessions (correlation_id) WHERE correlation_id <> '';

  CREATE TABLE statements (
    row INTEGER PRIMARY KEY, session TEXT NOT NULL, statement INTEGER NOT NULL, at TEXT NOT NULL,
    text TEXT NOT NULL, action TEXT NOT NULL, rules TEXT NOT NULL, UNIQUE (session, statement)
  ) STRICT;
  CREATE VIRTUAL TABLE statement_words USING fts5 (text, content = 'statements', content_rowid = 'row', tokenize = "unicode61 tokenchars '_'");
  CREATE TRIGGER statements_insert AFTER INSERT ON statements BEGIN
    INSERT INTO statement_words (rowid, text) VALUES (new.row, new.text);
  END;
  CREATE TRIGGER statements_delete AFTER DELETE ON statements BEGIN
    INSERT INTO statement_words (statement_words, rowid, text) VALUES ('delete', old.row, old.text);
  END;

  CREATE TABLE approval_requests (
    id TEXT PRIMARY KEY, state TEXT NOT NULL, subject TEXT NOT NULL, issuer TEXT NOT NULL,
    created_at TEXT NOT NULL, decided_by TEXT NOT NULL, decided_at TEXT NOT NULL, decision_reason TEXT NOT NULL,
    request TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX approval_requests_by_state ON approval_requests (state, id);
  CREATE TABLE approval_votes (
    request TEXT NOT NULL REFERENCES approval_requests (id), issuer TEXT NOT NULL, subject TEXT NOT NULL,
    email TEXT NOT NULL, group_names TEXT NOT NULL, at TEXT NOT NULL, PRIMARY KEY (request, issuer, subject)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE keys (name TEXT PRIMARY KEY, sealed BLOB NOT NULL) STRICT, WITHOUT ROWID;
  `,
  `
  CREATE TABLE usage (
    key TEXT NOT NULL, span TEXT NOT NULL, ends_ms INTEGER NOT NULL, requests INTEGER NOT NULL, tokens INTEGER NOT NULL,
    usd REAL NOT NULL, PRIMARY KEY (key, span, ends_ms)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX usage_by_end ON usage (ends_ms);
  `,
  `
  ALTER TABLE sessions ADD COLUMN title TEXT NOT NULL DEFAULT '';
  `,
  `
  CREATE TABLE session_terms (
    kind TEXT NOT NULL, term TEXT NOT NULL, started_at TEXT NOT NULL, session TEXT NOT NULL,
    PRIMARY KEY (kind, term, started_at, session)
  ) STRICT, WITHOUT ROWID;
  INSERT OR IGNORE INTO session_terms
    SELECT 'user', subject, started_at, id FROM sessions
    UNION ALL SELECT 'user', email, started_at, id FROM sessions WHERE email <> ''
    UNION ALL SELECT 'connection', connection, started_at, id FROM sessions
    UNION ALL SELECT 'correlation', correlation_id, started_at, id FROM sessions WHERE correlation_id <> ''
    UNION ALL SELECT 'verdict', 'block', started_at, id FROM sessions WHERE blocked > 0
    UNION ALL SELECT 'verdict', action, started_at, session FROM statements JOIN sessions ON sessions.id = session
      WHERE action NOT IN ('', 'allow')
    UNION ALL SELECT 'rule', met.value, started_at, session FROM statements JOIN sessions ON sessions.id = session,
      json_each(rules) AS met;
  INSERT OR IGNORE INTO session_terms
    SELECT kind, substr(term, instr(term, '/') + 1), started_at, session FROM session_terms
    WHERE kind = 'rule' AND instr(term, '/') > 0;
  DROP INDEX sessions_by_correlation;
  `,
  `
  CREATE TABLE policy_sets (
    hash TEXT PRIMARY KEY, source TEXT NOT NULL, first_at TEXT NOT NULL, last_at TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE readings (
    row INTEGER PRIMARY KEY, at TEXT NOT NULL, session TEXT NOT NULL, what TEXT NOT NULL, subject TEXT NOT NULL,
    issuer TEXT NOT NULL, email TEXT NOT NULL, detail TEXT NOT NULL
  ) STRICT;
  CREATE INDEX readings_by_session ON readings (session, row);
  CREATE INDEX readings_by_time ON readings (at, row);
  CREATE INDEX approval_requests_by_time ON approval_requests (created_at, id);
  `,
  `
  ALTER TABLE approval_requests ADD COLUMN kind TEXT NOT NULL DEFAULT 'statement';
  ALTER TABLE approval_requests ADD COLUMN review TEXT NOT NULL DEFAULT '';
  CREATE INDEX approval_requests_to_review ON approval_requests (id) WHERE review = 'due';
  ALTER TABLE approval_votes ADD COLUMN duration_ms INTEGER;
  CREATE TABLE grants (
    id TEXT PRIMARY KEY, request TEXT NOT NULL REFERENCES approval_requests (id), state TEXT NOT NULL,
    subject TEXT NOT NULL, issuer TEXT NOT NULL, ended_at TEXT NOT NULL, ended_by TEXT NOT NULL,
    end_reason TEXT NOT NULL, given TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX grants_by_state ON grants (state, id);
  CREATE INDEX grants_by_request ON grants (request);
  `,
  `
  CREATE TABLE secrets (
    name TEXT PRIMARY KEY, version INTEGER NOT NULL, wrapped BLOB NOT NULL, sealed BLOB NOT NULL, changed_at TEXT NOT NULL,
    changed_by TEXT NOT NULL, revoked INTEGER NOT NULL DEFAULT 0, used_at TEXT NOT NULL DEFAULT '', uses INTEGER NOT NULL DEFAULT 0
  ) STRICT, WITHOUT ROWID;
  `,
  `
  CREATE TABLE uploads (
    target TEXT NOT NULL, path TEXT NOT NULL, sha256 TEXT NOT NULL, bytes INTEGER NOT NULL, at TEXT NOT NULL,
    PRIMARY KEY (path, target)
  ) STRICT, WITHOUT ROWID;
  ALTER TABLE sessions ADD COLUMN end_reason TEXT NOT NULL DEFAULT '';
  `,
];
