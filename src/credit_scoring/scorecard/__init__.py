"""The WOE scorecard: bins, weights of evidence, points and the points scale."""
