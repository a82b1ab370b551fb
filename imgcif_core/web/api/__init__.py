"""The calls for programs below /api/v1: every module here adds the routes in its `ROUTES`."""
