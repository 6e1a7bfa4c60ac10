"""Who may do more than others?"""
