"""Does anything get lost, or done twice, while everything is killed again and again?"""
