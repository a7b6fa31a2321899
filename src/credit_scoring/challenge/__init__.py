"""Challenge: champion and challenger on what became of the applicants."""
