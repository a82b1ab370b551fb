"""Pages for people: every module here adds the routes in its `ROUTES`."""
