"""The senses of a call, measured on recordings: `strowger evaluate WHAT`."""
