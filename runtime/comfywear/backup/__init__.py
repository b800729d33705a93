"""A device in one file: its settings, votes, what was learnt, names, models; secrets only with a passphrase."""
