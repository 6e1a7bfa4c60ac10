"""What do the staff see of the catalogue in a browser?"""
