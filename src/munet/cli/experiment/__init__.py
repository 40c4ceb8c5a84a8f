"""The command group `munet experiment`."""
