"""A believable day for `strowger up`: calls that were held by the simulator, told as if they had just happened."""
