"""Synthetic populations and repeated surveys: for rehearsal, never for publication."""
