"""What is known of each movie, and what does the community say of it?"""
