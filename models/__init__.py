"""What a face or a stretch of music expresses, said by models that run through onnxruntime."""
