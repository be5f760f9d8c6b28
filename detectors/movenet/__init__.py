"""MoveNet, the built-in detector: MultiPose finds people on a frame, Thunder follows each of them.

Both networks are published as TensorFlow.js graphs. `tfjs` reads a graph as plain data, `tfjs_to_onnx` and
`onnx_builder` convert it to ONNX, `converted_model` keeps the result in the cache, and `session` opens it
with onnxruntime. `finder` runs MultiPose, `refiner` runs Thunder.

`glances` says where on a frame to look for people, `schedule` when, and `newcomers` decides whether a person
was found who is not followed yet. `following` describes a person from one frame to the next. `detector` puts
all together.
"""
