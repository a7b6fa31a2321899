"""From a model's margin to a decision: PD, score, band, policy, reasons."""
