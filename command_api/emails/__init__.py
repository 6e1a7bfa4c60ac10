"""Who reads what is sent to an address?"""
