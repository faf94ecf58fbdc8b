"""RFC 6047: an iTIP message as an e-mail. No network and no database."""
