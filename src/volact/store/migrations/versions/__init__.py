"""The versions.  What one has made is never edited; a change is a new file."""
