"""The style network and its layers."""
