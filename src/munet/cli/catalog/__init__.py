"""The command group `munet catalog`."""
