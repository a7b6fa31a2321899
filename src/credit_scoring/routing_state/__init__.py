"""The state of routing: whether everybody goes to the champion, and who said so."""
