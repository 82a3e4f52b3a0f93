"""Results: the solution of an engine, the record that is kept, its schema, netCDF file, hashes and columns."""
