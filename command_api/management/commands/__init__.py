"""What can be run by hand on the command side?"""
