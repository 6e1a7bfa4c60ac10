"""What is a running platform put under, whose writes are all accounted for?"""
