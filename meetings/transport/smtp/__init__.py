"""SMTP (RFC 5321): a reply for each recipient, one deadline for everything, kept connections."""
