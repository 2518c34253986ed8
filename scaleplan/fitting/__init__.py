"""Fitting: runs and a law in, a Fit with its uncertainty out."""
