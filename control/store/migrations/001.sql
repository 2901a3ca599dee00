-- Times are integer milliseconds since 1970; digests and hashes are raw bytes; *_json columns hold canonical JSON text.

CREATE TABLE meta (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT;

-- A principal is an agent or a person; its role says what its keys may do.
CREATE TABLE principals (
  id           INTEGER PRIMARY KEY,
  public_id    TEXT NOT NULL UNIQUE,
  kind         TEXT NOT NULL CHECK (kind IN ('agent', 'person')),
  name         TEXT NOT NULL,
  role         TEXT NOT NULL CHECK (role IN ('agent', 'reviewer', 'admin')),
  status       TEXT NOT NULL CHECK (status IN ('active', 'suspended', 'revoked')),
  created_at   INTEGER NOT NULL,
  CHECK ((kind = 'agent') = (role = 'agent'))
) STRICT;

-- What an admin or the registration laid down about an agent.
CREATE TABLE agents (
  principal            INTEGER PRIMARY KEY REFERENCES principals (id),
  risk_tier            TEXT NOT NULL CHECK (risk_tier IN ('standard', 'elevated', 'restricted')),
  owner                TEXT,
  person               TEXT,
  environment          TEXT,
  framework            TEXT,
  allowed_policies     TEXT,
  allowed_destinations TEXT,
  metadata             TEXT NOT NULL
) STRICT;

CREATE TABLE keys (
  id         INTEGER PRIMARY KEY,
  public_id  TEXT NOT NULL UNIQUE,
  principal  INTEGER NOT NULL REFERENCES principals (id),
  hash       BLOB NOT NULL UNIQUE,
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  revoked_at INTEGER
) STRICT;

-- state_json is the intent's union value; about_json what was judged and never changes. The other columns are what
-- queries look for. found_until: until when an identical request of the agent finds this intent.
CREATE TABLE intents (
  id           INTEGER PRIMARY KEY,
  public_id    TEXT NOT NULL UNIQUE,
  agent        INTEGER NOT NULL REFERENCES principals (id),
  origin       TEXT NOT NULL CHECK (origin IN ('proxy', 'sdk')),
  status       TEXT NOT NULL CHECK (status IN
    ('pending_approval', 'approved', 'blocked', 'scheduled', 'succeeded', 'failed', 'expired', 'unknown')),
  destination  TEXT NOT NULL,
  policy       TEXT,
  fingerprint  BLOB NOT NULL,
  distinct_by  TEXT,
  created_at   INTEGER NOT NULL,
  deadline     INTEGER,
  found_until  INTEGER,
  counted      INTEGER NOT NULL CHECK (counted IN (0, 1)),
  risk_score   REAL NOT NULL,
  state_json   TEXT NOT NULL,
  about_json   TEXT NOT NULL
) STRICT;

CREATE INDEX intents_open ON intents (status, id)
  WHERE status IN ('pending_approval', 'approved', 'scheduled', 'unknown');
-- Approved ones that Gate sends by itself.
CREATE INDEX intents_replays ON intents (id)
  WHERE status = 'approved' AND json_extract(about_json, '$.delivery') = 'replay';
CREATE INDEX intents_due ON intents (deadline) WHERE deadline IS NOT NULL;
CREATE INDEX intents_found ON intents (agent, fingerprint) WHERE found_until IS NOT NULL;
CREATE INDEX intents_counted ON intents (agent, policy, created_at) WHERE counted = 1;

-- An idempotency key names the intent that it made or found, for good.
CREATE TABLE idempotency (
  agent  INTEGER NOT NULL REFERENCES principals (id),
  origin TEXT NOT NULL,
  key    TEXT NOT NULL,
  intent INTEGER NOT NULL REFERENCES intents (id),
  PRIMARY KEY (agent, origin, key)
) STRICT, WITHOUT ROWID;

-- Bodies live apart from the lean rows; a purged one leaves its row with NULL bytes.
CREATE TABLE payloads (
  intent      INTEGER PRIMARY KEY REFERENCES intents (id),
  type        TEXT,
  headers     BLOB,
  has_secrets INTEGER NOT NULL CHECK (has_secrets IN (0, 1)),
  body        BLOB,
  purged_at   INTEGER
) STRICT;

CREATE TABLE executions (
  id           INTEGER PRIMARY KEY,
  public_id    TEXT NOT NULL UNIQUE,
  intent       INTEGER NOT NULL REFERENCES intents (id),
  mode         TEXT NOT NULL CHECK (mode IN ('proxy', 'replay', 'runner_exec', 'gate_exec')),
  status       TEXT NOT NULL CHECK (status IN
    ('pending', 'executing', 'succeeded', 'failed', 'expired', 'unknown', 'not_sent')),
  token_hash   BLOB UNIQUE,
  report_json  TEXT,
  created_at   INTEGER NOT NULL,
  expires_at   INTEGER,
  completed_at INTEGER
) STRICT;

CREATE INDEX executions_of ON executions (intent);

CREATE TABLE answers (
  intent     INTEGER PRIMARY KEY REFERENCES intents (id),
  status     INTEGER NOT NULL,
  headers    BLOB NOT NULL,
  body       BLOB,
  created_at INTEGER NOT NULL,
  purged_at  INTEGER
) STRICT;

-- The log: metadata_json is the very text that was hashed. A link is unique, so the chain cannot fork.
CREATE TABLE audit (
  seq           INTEGER PRIMARY KEY,
  at            INTEGER NOT NULL,
  type          TEXT NOT NULL,
  intent        INTEGER REFERENCES intents (id),
  actor         TEXT NOT NULL,
  actor_id      TEXT,
  metadata_json TEXT NOT NULL,
  leaf          BLOB NOT NULL,
  link          BLOB NOT NULL,
  mac           BLOB NOT NULL
) STRICT;

CREATE INDEX audit_of ON audit (intent) WHERE intent IS NOT NULL;

CREATE TABLE webhooks (
  id         INTEGER PRIMARY KEY,
  public_id  TEXT NOT NULL UNIQUE,
  intent     INTEGER REFERENCES intents (id),
  owner      INTEGER NOT NULL REFERENCES principals (id),
  url        TEXT NOT NULL,
  secret     TEXT,
  events     TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  ended_at   INTEGER
) STRICT;

CREATE TABLE outbox (
  id         INTEGER PRIMARY KEY,
  webhook    INTEGER NOT NULL REFERENCES webhooks (id),
  seq        INTEGER NOT NULL,
  body       TEXT NOT NULL,
  due_at     INTEGER NOT NULL,
  tries      INTEGER NOT NULL,
  done_at    INTEGER
) STRICT;

CREATE INDEX outbox_due ON outbox (due_at) WHERE done_at IS NULL;
