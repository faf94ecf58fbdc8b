"""What a mail says to people, in each language."""
