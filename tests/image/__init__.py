"""The image: built for real from the Dockerfile where no image registry is reachable, and run."""
