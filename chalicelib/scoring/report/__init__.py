"""The report of a night: plain data, one HTML page, and the members as CSV. Pure."""
