"""From a joint run to a system."""
