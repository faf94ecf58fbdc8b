"""RFC 5321: bytes → mail server, with an outcome for each recipient. Knows no calendar."""
