# The box itself: pins, clock, watchdog, settings, health, commands.
