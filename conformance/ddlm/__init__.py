"""Cases for the constraints of a DDLm dictionary, made from the table of its facts."""
