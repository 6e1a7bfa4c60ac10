"""Library: each user's ratings, favourites, hidden movies, playlists and profile."""
