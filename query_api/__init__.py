"""What do people ask? Answers come from read models alone; there is no way from here to the log."""
