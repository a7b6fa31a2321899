"""The contract: one definition of the columns, and every check that follows from it."""
