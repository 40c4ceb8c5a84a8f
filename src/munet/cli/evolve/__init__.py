"""The command group of `munet evolve`."""
