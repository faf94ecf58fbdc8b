"""What the tests start: mail servers, processes of ours, other sessions of PostgreSQL."""
