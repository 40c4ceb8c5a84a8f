"""Joint training."""
