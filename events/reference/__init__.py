"""What is told of events to those who read them from elsewhere?"""
