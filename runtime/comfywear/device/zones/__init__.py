"""What is known of each zone: presence, activity, weather, comfort, what it likes."""
