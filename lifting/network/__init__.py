"""The temporal convolutional model, its forms for training and inference, and its cost."""
