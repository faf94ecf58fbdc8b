"""RFC 6047: an iTIP message as an e-mail, and back. No network and no database."""
