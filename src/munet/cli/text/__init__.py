"""What commands print: numbers, tables, progress."""
