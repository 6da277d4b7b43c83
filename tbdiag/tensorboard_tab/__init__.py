"""The Diagnosis tab: a plugin of TensorBoard that shows what the rules found beside the curves."""
