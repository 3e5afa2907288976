-- What SQLAlchemy does not say: sequences, storage, partitions, and the functions behind one-round-trip writes.
CREATE SEQUENCE hearth_seq
--;
CREATE SEQUENCE hearth_rid INCREMENT BY 1024
--;
ALTER TABLE post ALTER h SET STATISTICS 1000
--;
ALTER INDEX post_pkey SET (fillfactor = 80)
--;
-- Append-heavy tables of narrow rows: vacuum them for the visibility map before the default fifth has changed.
ALTER TABLE post SET (autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05)
--;
ALTER TABLE resource ALTER doc SET COMPRESSION lz4
--;
ALTER TABLE history ALTER doc SET COMPRESSION lz4
--;
CREATE TABLE audit_default PARTITION OF audit DEFAULT
--;
CREATE FUNCTION hearth_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the audit trail is append-only';
END $$
--;
CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION hearth_append_only()
--;
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION hearth_append_only()
--;
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit_default FOR EACH STATEMENT EXECUTE FUNCTION hearth_append_only()
--;
-- Partition p_name of audit for recorded in [p_lo, p_hi). ATTACH, because CREATE ... PARTITION OF would lock out writers.
CREATE FUNCTION hearth_audit_partition(p_name text, p_lo bigint, p_hi bigint) RETURNS void LANGUAGE plpgsql
SET lock_timeout = '1s' AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(1582301183, 1);
  IF to_regclass(p_name) IS NOT NULL THEN
    RETURN;
  END IF;
  EXECUTE format('CREATE TABLE %I (LIKE audit INCLUDING ALL)', p_name);
  EXECUTE format('CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION hearth_append_only()', p_name);
  EXECUTE format('ALTER TABLE audit ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)', p_name, p_lo, p_hi);
END $$
--;
-- Announce that this transaction will take numbers of hearth_seq: a shared advisory lock whose key is a number below them.
-- Readers in the order of seq find the lowest such lock (hearth_horizon). Transaction ids would not do: the order in
-- which two transactions get their ids says nothing about the order in which they later take numbers.
CREATE FUNCTION hearth_announce() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  s bigint := nextval('hearth_seq');
BEGIN
  PERFORM pg_advisory_xact_lock_shared((1582301184 + (s >> 31))::int, (s & 2147483647)::int);
END $$
--;
-- The sequence is read first: whoever announces later takes higher numbers. A transaction's locks go after its commit is visible.
CREATE FUNCTION hearth_horizon() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  top bigint := (SELECT last_value FROM hearth_seq);
  low bigint;
BEGIN
  SELECT min(((classid::bigint - 1582301184) << 31) + objid::bigint) INTO low FROM pg_locks
   WHERE locktype = 'advisory' AND objsubid = 2 AND classid::bigint BETWEEN 1582301184 AND 1582366719
     AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND pid <> pg_backend_pid();
  RETURN least(top, low);
END $$
--;
-- plpgsql throughout: it keeps plans for the session, where a function in SQL is planned at every call.
-- References to up to 10 resources on the lists p_lists, other than p_self (rids of resources that go too).
CREATE FUNCTION hearth_referrers(p_lists bigint[], p_self bigint[], p_limit int) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  RETURN (SELECT string_agg(x.ref, ' ') FROM (
    SELECT DISTINCT r.type || '/' || r.id AS ref FROM unnest(p_lists) l(h)
     CROSS JOIN LATERAL (SELECT o FROM post p WHERE p.h = l.h ORDER BY o DESC LIMIT p_limit + cardinality(p_self)) p
     CROSS JOIN LATERAL (SELECT * FROM resource q WHERE q.o = p.o OFFSET 0) r
     WHERE r.rid <> ALL (p_self) LIMIT p_limit) x);
END $$
--;
-- References among (p_type, p_id) to what is absent or deleted, separated by spaces; NULL when all are there.
CREATE FUNCTION hearth_missing(p_tenant int, p_type text[], p_id text[]) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  -- OFFSET 0 is a fence: one probe for each target, and by resource_id, as only that has the order, whatever the planner
  -- believes about small tables.
  RETURN (SELECT string_agg(w.type || '/' || w.id, ' ') FROM unnest(p_type, p_id) AS w(type, id)
    LEFT JOIN LATERAL (SELECT 1 AS k FROM resource r WHERE r.tenant = p_tenant AND r.type = w.type COLLATE "C"
                       AND r.id >= w.id COLLATE "C" AND r.id <= w.id COLLATE "C" AND NOT r.deleted ORDER BY r.id OFFSET 0) x ON true
   WHERE x.k IS NULL);
END $$
--;
-- One version of one resource with everything that belongs to it. VOLATILE: each statement inside sees what was committed
-- when it starts, so the checks come after the locks. Returns the seq, or 'lost', 'place' (o is taken), 'missing ...', 'referred ...'.
-- p_row: the version that is superseded or 0, rid, o, o before, tenant, version, updated, subj. NULL stands for an empty list.
CREATE FUNCTION hearth_write(
  p_row bigint[], p_type text, p_id text, p_op text, p_doc bytea, p_less bigint[], p_more bigint[],
  p_rng_less bigint[], p_rng_more bigint[], p_str_less bigint[], p_str_less_norm text[], p_str_more bigint[], p_str_more_norm text[],
  p_shared bigint[], p_alone bigint[], p_target_type text[], p_target_id text[], p_lists bigint[],
  p_audit text[], p_topic text[], p_body bytea[]
) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  v_rid bigint := p_row[2];
  v_o bigint := p_row[3];
  v_tenant int := p_row[5];
  s bigint;
  found_refs text;
BEGIN
  IF p_shared IS NOT NULL THEN
    PERFORM pg_advisory_xact_lock_shared(k) FROM unnest(p_shared) k;
  END IF;
  IF p_alone IS NOT NULL THEN
    PERFORM pg_advisory_xact_lock(k) FROM unnest(p_alone) k;
  END IF;
  IF p_target_id IS NOT NULL THEN
    found_refs := hearth_missing(v_tenant, p_target_type, p_target_id);
    IF found_refs IS NOT NULL THEN
      RETURN 'missing ' || found_refs;
    END IF;
  END IF;
  IF p_lists IS NOT NULL THEN
    found_refs := hearth_referrers(p_lists, ARRAY[v_rid], 10);
    IF found_refs IS NOT NULL THEN
      RETURN 'referred ' || found_refs;
    END IF;
  END IF;
  s := nextval('hearth_seq');  -- as hearth_announce, which would cost another call
  PERFORM pg_advisory_xact_lock_shared((1582301184 + (s >> 31))::int, (s & 2147483647)::int);
  s := nextval('hearth_seq');
  IF p_row[1] = 0 THEN
    INSERT INTO resource (rid, o, tenant, type, id, version, seq, updated, deleted, op, subj, doc)
    VALUES (v_rid, v_o, v_tenant, p_type, p_id, p_row[6], s, p_row[7], p_doc = '', p_op, p_row[8], p_doc) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
      PERFORM FROM resource WHERE tenant = v_tenant AND type = p_type COLLATE "C" AND id = p_id COLLATE "C";
      RETURN CASE WHEN FOUND THEN 'lost' ELSE 'place' END;
    END IF;
  ELSE
    INSERT INTO history (rid, version, tenant, type, id, seq, updated, until, deleted, op, doc)
    SELECT rid, version, tenant, type, id, seq, updated, p_row[7], deleted, op, doc FROM resource
     WHERE rid = v_rid AND version = p_row[1] FOR UPDATE;
    IF NOT FOUND THEN
      RETURN 'lost';
    END IF;
    IF v_o <> p_row[4] THEN
      PERFORM FROM resource WHERE o = v_o;
      IF FOUND THEN
        RAISE unique_violation USING MESSAGE = 'place';
      END IF;
    END IF;
    UPDATE resource SET o = v_o, version = p_row[6], seq = s, updated = p_row[7], deleted = p_doc = '', op = p_op,
           subj = p_row[8], doc = p_doc WHERE rid = v_rid;
    IF p_less IS NOT NULL THEN
      DELETE FROM post WHERE o = p_row[4] AND h = ANY (p_less);
    END IF;
    IF p_rng_less IS NOT NULL THEN
      FOR i IN 1 .. cardinality(p_rng_less) BY 3 LOOP
        DELETE FROM rng WHERE h = p_rng_less[i] AND lo = p_rng_less[i+1] AND hi = p_rng_less[i+2] AND o = p_row[4];
      END LOOP;
    END IF;
    IF p_str_less IS NOT NULL THEN
      FOR i IN 1 .. cardinality(p_str_less) LOOP
        DELETE FROM str WHERE h = p_str_less[i] AND norm = p_str_less_norm[i] COLLATE "C" AND o = p_row[4];
      END LOOP;
    END IF;
  END IF;
  -- A new place holds no rows yet. DO NOTHING, which costs as much again, where rows that an earlier release indexed
  -- otherwise may be there already.
  IF p_row[1] = 0 THEN
    INSERT INTO post SELECT h, v_o FROM unnest(p_more) h;
  ELSIF p_more IS NOT NULL THEN
    INSERT INTO post SELECT h, v_o FROM unnest(p_more) h ON CONFLICT DO NOTHING;
  END IF;
  IF p_rng_more IS NOT NULL THEN
    INSERT INTO rng SELECT p_rng_more[i], p_rng_more[i+1], p_rng_more[i+2], v_o
      FROM generate_series(1, cardinality(p_rng_more), 3) i ON CONFLICT DO NOTHING;
  END IF;
  IF p_str_more IS NOT NULL THEN
    INSERT INTO str SELECT h, norm, v_o FROM unnest(p_str_more, p_str_more_norm) AS w(h, norm) ON CONFLICT DO NOTHING;
  END IF;
  IF p_audit IS NOT NULL THEN
    INSERT INTO audit (chain, n, recorded, tenant, action, interaction, outcome, who, client, address, purpose, request, patient,
                       entity, detail, hash)
    SELECT p_audit[i]::bigint, p_audit[i+1]::bigint, p_audit[i+2]::bigint, p_audit[i+3]::int, p_audit[i+4], p_audit[i+5], p_audit[i+6]::int,
           p_audit[i+7], p_audit[i+8], p_audit[i+9], p_audit[i+10], p_audit[i+11], p_audit[i+12], p_audit[i+13], p_audit[i+14],
           decode(p_audit[i+15], 'hex')
      FROM generate_series(1, cardinality(p_audit), 16) i;
  END IF;
  IF p_topic IS NOT NULL THEN
    INSERT INTO outbox SELECT s, n, v_tenant, topic, body FROM unnest(p_topic, p_body) WITH ORDINALITY AS w(topic, body, n);
  END IF;
  RETURN s;
END $$
