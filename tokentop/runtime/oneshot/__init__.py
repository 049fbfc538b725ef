"""One refresh for the text views: everything asked at once, with one deadline."""
