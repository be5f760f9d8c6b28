"""RTMPose (Jiang et al. 2023, arXiv 2303.07399) and its person detector YOLOX, as ONNX files."""
