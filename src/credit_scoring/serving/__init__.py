"""The service: it only translates between HTTP and a decision."""
