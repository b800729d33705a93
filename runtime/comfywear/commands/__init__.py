"""The subcommands of `comfywear`, a module each."""
