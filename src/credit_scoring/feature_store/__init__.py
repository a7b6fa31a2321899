"""The feature store: an applicant's statement history in Redis, by loan id."""
