# The scan terminal: read a code, prove it, keep it, send it, show the answer.
VERSION = "0.1.0"
