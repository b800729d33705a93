"""What changes a device: settings, releases, backups, and the list of it all."""
