"""What do users like, and what may others see of it?"""
