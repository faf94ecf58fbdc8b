"""What we write, read back by software that does not know how we write it."""
