"""Read videos frame by frame (`reader.open_video`), and write them (`writer.VideoWriter`)."""
