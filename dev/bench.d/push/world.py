"""What is pushed: rows of one view of ten features of several types, for random users."""

from views import mixed

VIEW = mixed("profile", source_type="push")
SERVICES = {VIEW.name: [VIEW]}
USERS = 100_000
FEAST_DATABASE = 2
