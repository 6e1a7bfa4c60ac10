"""What belongs to each user: ratings, favourites, hidden movies, playlists?"""
