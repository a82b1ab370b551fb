"""The spot test: whether strong spots of several frames lie where the stated geometry says."""
