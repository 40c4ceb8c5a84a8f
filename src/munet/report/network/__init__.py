"""The picture of a system's network: its layout, its drawing, its growth."""
