"""What is in fashion elsewhere?"""
