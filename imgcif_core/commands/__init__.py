"""The subcommands of `imgcif`, a module each: `add_arguments(parser)` and `run(options)`."""
