"""What does each event mean for each answer, and how are the answers kept ready?"""
