# Runs before everything else and is never updated over the air: leaves the terminal able to say what goes wrong.
import micropython

micropython.alloc_emergency_exception_buf(100)
