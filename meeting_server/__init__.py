"""The Django project: settings, paths, the embedded database."""
