"""Figures, measured on this machine: `make bench`, or `make bench ONLY=board-embedded`. One JSON object a line."""
