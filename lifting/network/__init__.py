"""The temporal convolutional model: its shape, its forms for training and for inference, and its cost."""
