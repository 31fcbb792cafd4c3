"""What can be done with each of many pictures; a module a family."""
