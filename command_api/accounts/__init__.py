"""Who may open an account?"""
