"""The main job of Wharf on sample files, through the public API only, compared row by row."""
