"""RFC 6047: messages as e-mail, composed and sent. Knows no database."""
