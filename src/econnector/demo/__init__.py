"""A synthetic practice, and everything in one process."""
