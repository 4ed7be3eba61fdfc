"""The only place that sums up."""
