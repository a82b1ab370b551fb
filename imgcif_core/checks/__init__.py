"""The rules, the registry that knows them and the engine that runs them."""
