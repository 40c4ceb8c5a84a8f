"""Models of an exported allocation: paths through pools of components."""
