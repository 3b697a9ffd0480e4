"""The main job on this machine: two terminals, broker, bridge and platform, from pictures of barcodes to lights."""
