"""What has each user rated?"""
