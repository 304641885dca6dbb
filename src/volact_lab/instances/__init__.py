"""What every simulated cloud has: instances, scripts that run on them, limits of calls.

Each cloud's own folder makes its API of these.
"""
