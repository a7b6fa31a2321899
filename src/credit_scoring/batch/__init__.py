"""Scoring files of any size: exact, in bounded memory, safe to kill and restart."""
