"""The application: meetings, their rules, their rows, their mail."""
