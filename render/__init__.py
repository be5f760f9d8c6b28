"""Pictures from pose tables: any frame as a side-by-side drawing of the video and its people in 3D."""
