"""Those a message speaks of in passing: practitioners, organizations, locations; made when absent, else left alone."""
