"""A first contract for an unknown file, with the questions that a person answers."""
