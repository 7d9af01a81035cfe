"""Networks from coordinates to fields."""
