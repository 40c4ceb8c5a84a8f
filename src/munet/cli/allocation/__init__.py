"""The command group `munet allocation`."""
