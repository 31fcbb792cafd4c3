"""Recipes and the engine that runs them, resumable at any step."""
