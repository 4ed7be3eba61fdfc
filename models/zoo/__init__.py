"""The trained models: ONNX files, `manifest.json` that pins them, and a card for each."""
