"""Which offer goes to which need: pure functions on frozen values. Start at `matching.propose.propose`."""
