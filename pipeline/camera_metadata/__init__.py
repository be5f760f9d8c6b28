"""What a video's file says of the camera."""
