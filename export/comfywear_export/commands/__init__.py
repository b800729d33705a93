"""The subcommands of `comfywear-export`, a module each."""
