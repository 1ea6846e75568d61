"""What is asked for: the views, their rows, and the services that have them."""

from views import floats, mixed

FIVE = [floats(number) for number in range(1, 6)]
ONE = FIVE[0]
MIXED = mixed("profile")
VIEWS = [*FIVE, MIXED]
# Feast has a service of the same name for the first view.
SERVICES = {ONE.name: [ONE], "five_views": FIVE}

# Redis' logical databases; Larder has 0. Feast keeps all views of an entity in one hash: the one whose bytes are counted is
# in a database of its own.
FEAST_DATABASES = {ONE.name: 2, MIXED.name: 3}


def feast_directory(directory, view):
    return directory / f"feast_{view.name}"
