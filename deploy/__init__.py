"""How a whole Nuanlian comes up on one machine: private servers, Debian packages, browser assets."""
