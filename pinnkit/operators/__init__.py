"""The partial derivatives that the equations ask for."""
