"""Which playlists may everyone see?"""
