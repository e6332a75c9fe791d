"""Sampling frames: read, check, roll up, merge and split areas, geometry, prior prevalence."""
