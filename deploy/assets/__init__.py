"""The third-party scripts and style sheets: which, and how they arrive at set-up. They are never committed."""
