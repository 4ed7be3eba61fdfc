"""What a face or a stretch of music expresses, said by models that run through onnxruntime."""

import os

# onnxruntime reads it once, when it is imported by whomever. Without it the library writes a
# number for this machine into the user's cache, beside the interpreter's path and times of use,
# and looks for somebody to send them to.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
