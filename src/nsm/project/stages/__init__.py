"""The stages of a project, one module each: `make(project, folder)` writes its results there."""
