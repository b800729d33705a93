"""What votes taught a zone: lessons, the usual air, questions, and their log."""
