"""MoveNet, the built-in detector: MultiPose finds people on a frame, Thunder follows each of them.

Both networks are published as TensorFlow.js graphs. `tfjs` reads a graph as plain data, `tfjs_to_onnx` and
`onnx_builder` convert it to ONNX, `converted_model` keeps the result in the cache, and `session` opens it
with onnxruntime. `following` describes a person from one frame to the next; `detector` is the detector.
"""
