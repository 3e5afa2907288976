-- Which search parameters are stored: every new version of a SearchParameter raises the generation, with its commit.
CREATE FUNCTION hearth_parameters() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO parameter_generation (one, generation, applied) VALUES (0, 1, 0)
    ON CONFLICT (one) DO UPDATE SET generation = parameter_generation.generation + 1;
  RETURN NULL;
END $$
--;
CREATE TRIGGER resource_parameters AFTER INSERT OR UPDATE OF version ON resource FOR EACH ROW
  WHEN (NEW.type = 'SearchParameter') EXECUTE FUNCTION hearth_parameters()
--;
-- The generation as of now, 0 before the first. The transaction has its id before it looks: who raises the generation and
-- then waits until all transactions with an id have ended has waited for everybody who saw the one before.
CREATE FUNCTION hearth_generation() RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_current_xact_id();
  RETURN coalesce((SELECT generation FROM parameter_generation WHERE one = 0), 0);
END $$
