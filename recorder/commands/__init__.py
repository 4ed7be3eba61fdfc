"""The recorder's commands, a file each: a thin skin over its engine and its screen."""
