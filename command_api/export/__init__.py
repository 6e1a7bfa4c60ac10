"""What does a person take along, and how does it come in elsewhere?"""
