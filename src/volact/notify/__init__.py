"""Messages to people: channels, and how each sends.  What is said is ``report.message``'s."""
