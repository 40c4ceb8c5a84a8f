"""Which components each task uses, and what that costs."""
