"""What does TMDb say of films? Its API v3, asked at the rate that it allows."""
