"""The decision log: every answered decision, in order, unalterable unseen."""
