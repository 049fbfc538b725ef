BEGIN TRANSACTION;
PRAGMA application_id = 1953459052;
PRAGMA user_version = 1;
CREATE TABLE entries (
  writer TEXT NOT NULL, seq INTEGER NOT NULL, kind TEXT NOT NULL, identity TEXT NOT NULL, at_us INTEGER NOT NULL, booked_us INTEGER NOT NULL, feed TEXT NOT NULL, outcome TEXT NOT NULL, estimated INTEGER NOT NULL, reverses TEXT, user_id TEXT, end_user_id TEXT, project TEXT, team TEXT, authenticated TEXT, model TEXT, provider TEXT, engine TEXT, request TEXT, session TEXT, task TEXT, prompt INTEGER, cached INTEGER, generated INTEGER, reasoning INTEGER, duration_ms INTEGER, gpu TEXT, gpu_ms INTEGER, vram_share INTEGER, transfer_bytes INTEGER, micro_usd INTEGER, milli_credits INTEGER, valuation TEXT, hash BLOB NOT NULL,
  PRIMARY KEY (writer, seq)
) WITHOUT ROWID;
INSERT INTO "entries" VALUES('a',1,'usage','test:0',1795262400000000,1795284000000000,'test','success',0,NULL,'87c500b7dbcf2352',NULL,'alpha','blue',NULL,'gpt-4o','openai','node-a',NULL,NULL,NULL,100,0,50,NULL,NULL,NULL,NULL,NULL,NULL,7,25,'b6b6220fe23c76c84f3055cc166dd579d511a65c0787acdee27f4f4ca22ab875',X'7B66AA091D845A8CC107B12E5E7177EDE38E6D5871B4DC797C6F0D300D2AD9F5');
INSERT INTO "entries" VALUES('a',2,'usage','test:1',1795262401000000,1795284000000000,'test','success',0,NULL,'87c500b7dbcf2352',NULL,'alpha','blue',NULL,'gpt-4o','openai','node-a',NULL,NULL,NULL,100,0,50,NULL,NULL,NULL,NULL,NULL,NULL,7,25,'b6b6220fe23c76c84f3055cc166dd579d511a65c0787acdee27f4f4ca22ab875',X'8C0A220F88BBDC4586376B6F7AC7D2A138C57363A79C65894550320EE993CE96');
INSERT INTO "entries" VALUES('a',3,'usage','test:2',1795262402000000,1795284000000000,'test','success',0,NULL,'87c500b7dbcf2352',NULL,'alpha','blue',NULL,'gpt-4o','openai','node-a',NULL,NULL,NULL,100,0,50,NULL,NULL,NULL,NULL,NULL,NULL,7,25,'b6b6220fe23c76c84f3055cc166dd579d511a65c0787acdee27f4f4ca22ab875',X'DEFC4C40480E0D11ACD662398E7282DE60AE53CB9BF514D2B4EB3397DA2957C7');
INSERT INTO "entries" VALUES('a',4,'reversal','reversal:test:1',1795262401000000,1795284000000000,'test','success',0,'test:1','87c500b7dbcf2352',NULL,'alpha','blue',NULL,'gpt-4o','openai','node-a',NULL,NULL,NULL,-100,0,-50,NULL,NULL,NULL,NULL,NULL,NULL,-7,-25,'b6b6220fe23c76c84f3055cc166dd579d511a65c0787acdee27f4f4ca22ab875',X'A6297D1FF7AD2260F67097E2FD4ADB9496292E9F65558E622CE5FEBB856DB206');
CREATE TABLE hourly (
  hour INTEGER NOT NULL, user_id TEXT NOT NULL, project TEXT NOT NULL, team TEXT NOT NULL, model TEXT NOT NULL, provider TEXT NOT NULL, engine TEXT NOT NULL, outcome TEXT NOT NULL,
  requests INTEGER NOT NULL, prompt INTEGER NOT NULL, cached INTEGER NOT NULL, generated INTEGER NOT NULL, reasoning INTEGER NOT NULL, gpu_ms INTEGER NOT NULL, micro_usd INTEGER NOT NULL, milli_credits INTEGER NOT NULL, estimated INTEGER NOT NULL, unmeasured INTEGER NOT NULL, unpriced INTEGER NOT NULL, unvalued INTEGER NOT NULL,
  PRIMARY KEY (hour, user_id, project, team, model, provider, engine, outcome)
) WITHOUT ROWID;
INSERT INTO "hourly" VALUES(498684,'87c500b7dbcf2352','alpha','blue','gpt-4o','openai','node-a','success',2,200,0,100,0,0,14,50,0,0,0,0);
CREATE TABLE people (id TEXT PRIMARY KEY, name TEXT UNIQUE) WITHOUT ROWID;
INSERT INTO "people" VALUES('87c500b7dbcf2352','ada');
CREATE TABLE valuations (id TEXT PRIMARY KEY, inputs TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO "valuations" VALUES('b6b6220fe23c76c84f3055cc166dd579d511a65c0787acdee27f4f4ca22ab875','{"by":"tokens","cached":100,"input":100000,"model":"GPT-4o","output":300000,"tables":"published"}');
CREATE UNIQUE INDEX entries_identity ON entries (identity);
CREATE INDEX entries_at ON entries (at_us);
CREATE VIEW entry_sums AS SELECT at_us, at_us / 3600000000 AS hour, coalesce(user_id, '') AS user_id, coalesce(project, '') AS project, coalesce(team, '') AS team, coalesce(model, '') AS model, coalesce(provider, '') AS provider, coalesce(engine, '') AS engine, coalesce(outcome, '') AS outcome, CASE kind WHEN 'reversal' THEN -1 ELSE 1 END AS requests, coalesce(prompt, 0) AS prompt, coalesce(cached, 0) AS cached, coalesce(generated, 0) AS generated, coalesce(reasoning, 0) AS reasoning, coalesce(gpu_ms, 0) AS gpu_ms, coalesce(micro_usd, 0) AS micro_usd, coalesce(milli_credits, 0) AS milli_credits, CASE kind WHEN 'reversal' THEN -estimated ELSE estimated END AS estimated, CASE WHEN prompt IS NULL OR generated IS NULL THEN CASE kind WHEN 'reversal' THEN -1 ELSE 1 END ELSE 0 END AS unmeasured, CASE WHEN micro_usd IS NULL THEN CASE kind WHEN 'reversal' THEN -1 ELSE 1 END ELSE 0 END AS unpriced, CASE WHEN milli_credits IS NULL THEN CASE kind WHEN 'reversal' THEN -1 ELSE 1 END ELSE 0 END AS unvalued FROM entries;
CREATE TRIGGER entries_no_update BEFORE UPDATE ON entries 
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER entries_no_delete BEFORE DELETE ON entries 
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER valuations_no_update BEFORE UPDATE ON valuations 
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER valuations_no_delete BEFORE DELETE ON valuations 
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER entries_no_insert BEFORE INSERT ON entries WHEN EXISTS (SELECT 1 FROM entries WHERE writer = NEW.writer AND seq >= NEW.seq)
  OR EXISTS (SELECT 1 FROM entries WHERE identity = NEW.identity)
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER valuations_no_insert BEFORE INSERT ON valuations WHEN EXISTS (SELECT 1 FROM valuations WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
COMMIT;
