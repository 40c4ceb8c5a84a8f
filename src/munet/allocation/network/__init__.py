"""Networks of pools."""
