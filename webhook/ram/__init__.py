"""The rights on the cloud that Terway's RAM user needs, and what a given policy makes of them."""
