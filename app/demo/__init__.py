"""`strowger demo`: simulated callers phone in; see the calls, then what was kept of them."""
