"""Celery: what happens after and between calls."""
