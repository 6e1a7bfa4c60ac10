"""Yes-or-no opinions of a movie: a favourite, or hidden from recommendations."""
