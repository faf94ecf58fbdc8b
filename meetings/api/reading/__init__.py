"""JSON → values: what a caller's body says, checked and typed. Nothing behind it sees a dictionary."""
