"""What many sessions show together: tidy tables, statistics over persons, figures."""
