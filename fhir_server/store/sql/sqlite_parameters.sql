CREATE TRIGGER resource_parameters_insert AFTER INSERT ON resource WHEN NEW.type = 'SearchParameter' BEGIN
  INSERT OR IGNORE INTO parameter_generation (one, generation, applied) VALUES (0, 0, 0);
  UPDATE parameter_generation SET generation = generation + 1;
END
--;
CREATE TRIGGER resource_parameters_update AFTER UPDATE OF version ON resource WHEN NEW.type = 'SearchParameter' BEGIN
  INSERT OR IGNORE INTO parameter_generation (one, generation, applied) VALUES (0, 0, 0);
  UPDATE parameter_generation SET generation = generation + 1;
END
