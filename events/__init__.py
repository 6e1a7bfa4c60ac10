"""What happened, where is it kept, and how does it get to those who answer?"""
