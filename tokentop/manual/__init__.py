"""What the program prints about itself: the manual, shell completions, the files it ships."""
