"""The analyzer's commands, a file each: a thin skin over the library of this package."""
