"""What deals with the machine: files, compilers, its streams."""
