"""What may users say of movies?"""
