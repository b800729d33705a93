"""A trained network's forms: ONNX and TFLite files, with weights stored in 16 bits and as INT8."""
