"""The sandbox's jars: locked by checksum, fetched once into the user's cache."""
