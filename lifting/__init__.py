"""The ground floor: skeletons, cameras, the pose table, the temporal model, its training and its errors."""
