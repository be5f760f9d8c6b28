"""Write exports and joint-angle reports: choose the files and their names, and print notes for the user."""
