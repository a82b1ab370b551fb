"""The web page and its API: a customer of the public functions; needs the extra `web`."""
