"""Rules about gradients, activations and updates, layer by layer."""
