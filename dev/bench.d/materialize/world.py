"""What is published: one view of ten features of several types."""

from views import mixed

VIEW = mixed("profile")
SERVICES = {VIEW.name: [VIEW]}
FEAST_DATABASE = 2
