"""Tensors of a layer as the writers of many projects name them."""

from __future__ import annotations

import pytest

from tbdiag.naming.layers import network_order, size_tag, tensor_tag
from tbdiag.naming.words import split

# tag -> quantity, part, layer; None: no tensor of a layer
TENSORS: dict[str, tuple[str, str, str] | None] = {
    # PyTorch: named_parameters() under its own name or in a folder
    "layer1.weight": ("parameter", "kernel", "layer 1"),
    # in a folder of parameters no other word is needed
    "parameters/fc1": ("parameter", "kernel", "fc 1"),
    "params/3": ("parameter", "kernel", "3"),
    "parameters/fc1_bias": ("parameter", "bias", "fc 1"),
    "parameters/adam/fc1": None,
    "parameters": None,
    "fc1/weight": ("parameter", "kernel", "fc 1"),
    "fc1.bias": ("parameter", "bias", "fc 1"),
    "conv1.weight.grad": ("gradient", "kernel", "conv 1"),
    "conv1.weight_grad": ("gradient", "kernel", "conv 1"),
    "conv1.bias/grad": ("gradient", "bias", "conv 1"),
    "grad/fc1.weight": ("gradient", "kernel", "fc 1"),
    "Gradients/fc1.weight": ("gradient", "kernel", "fc 1"),
    "weights/fc1.weight": ("parameter", "kernel", "fc 1"),
    "weights/conv1.bias": ("parameter", "bias", "conv 1"),
    "params/layer4.1.conv2.weight": ("parameter", "kernel", "layer 4 1 conv 2"),
    "bn1.weight": ("parameter", "norm", "bn 1"),
    "layer1.0.downsample.norm.bias": ("parameter", "norm", "layer 1 0 downsample norm"),
    "gradients/norm1.weight": ("gradient", "norm", "norm 1"),
    "lstm.weight_ih_l0": ("parameter", "kernel", "lstm ih l 0"),
    "lstm.bias_hh_l0": ("parameter", "bias", "lstm hh l 0"),
    "encoder.layers.0.self_attn.in_proj_weight":
        ("parameter", "kernel", "encoder layers 0 self attn in proj"),
    "transformer.wte.weight": ("parameter", "embedding", "transformer wte"),
    "model.q_proj.lora_A.weight": ("parameter", "adapter", "model q proj lora a"),
    "fc_out.weight": ("parameter", "kernel", "fc out"),
    "0.weight": ("parameter", "kernel", "0"),
    "activations/relu1": ("activation", "kernel", "relu 1"),
    "layer1/activation": ("activation", "kernel", "layer 1"),
    # Keras, old and new
    "dense/kernel_0": ("parameter", "kernel", "dense"),
    "dense/bias_0": ("parameter", "bias", "dense"),
    "dense_1/kernel_0/histogram": ("parameter", "kernel", "dense 1"),
    "dense/kernel_0/gradient": ("gradient", "kernel", "dense"),
    "dense_1/kernel_0_grad": ("gradient", "kernel", "dense 1"),
    "dense_1_out": ("activation", "kernel", "dense 1"),
    "sequential/dense/kernel:0": ("parameter", "kernel", "sequential dense"),
    "sequential/dense_1/kernel": ("parameter", "kernel", "sequential dense 1"),
    "batch_normalization/gamma_0": ("parameter", "norm", "batch normalization gamma 0"),
    "batch_normalization/moving_mean_0": None,
    "lstm/lstm_cell/recurrent_kernel_0": ("parameter", "kernel", "lstm lstm cell recurrent"),
    # TensorFlow 1
    "conv1/weights": ("parameter", "kernel", "conv 1"),
    "conv1/activations": ("activation", "kernel", "conv 1"),
    "conv1/weights/gradients": ("gradient", "kernel", "conv 1"),
    "layer1/Wx_plus_b/pre_activations": ("activation", "kernel", "layer 1 wx plus b pre"),
    "conv1/weights/Momentum": None,
    # Flax
    "params/Dense_0/kernel": ("parameter", "kernel", "dense 0"),
    "params/LayerNorm_0/scale": ("parameter", "norm", "layer norm 0 scale"),
    # by hand
    "w1": ("parameter", "kernel", "1"),
    "b1": ("parameter", "bias", "1"),
    "weights/layer1": ("parameter", "kernel", "layer 1"),
    "biases/layer1": ("parameter", "bias", "layer 1"),
    "gradients/layer1": ("gradient", "kernel", "layer 1"),
    "updates/layer1": ("update", "kernel", "layer 1"),
    # no tensor of a layer
    "ray/tune/hist_stats/episode_reward": None,
    "Environment/Cumulative Reward_hist": None,
    "grad_norm_hist": None,
    "exp_avg/fc1.weight": None,
    "images/input": None,
    "": None,
    "w" * 2000: None,
}  # fmt: skip

# tag -> statistic, part, layer; None: no size of one layer
SIZES: dict[str, tuple[str, str, str] | None] = {
    "grad_norm/layer1": ("norm", "kernel", "layer 1"),
    "grad_norm/layers.0.weight": ("norm", "kernel", "layers 0"),
    "fc1/grad_norm": ("norm", "kernel", "fc 1"),
    "gradients/fc1.weight_norm": ("norm", "kernel", "fc 1"),
    "Gradients/Norm/fc1.weight": ("norm", "kernel", "fc 1"),
    "grad_2.0_norm/fc1.weight": ("norm", "kernel", "fc 1"),
    "grad_2.0_norm/bn1.weight": ("norm", "norm", "bn 1"),
    "gradient_std/encoder.weight": ("spread", "kernel", "encoder"),
    "grad_norm/fc1.bias": ("norm", "bias", "fc 1"),
    "conv1/sparsity": ("zeros", "kernel", "conv 1"),
    "dead_neurons/layer1": ("zeros", "kernel", "layer 1"),
    "weight_sparsity": None,
    "grad_norm": None,
    "train/grad_norm": None,
    "grad_norm/epoch": None,
    "gradient_norm": None,
    "gradient_mean/encoder.weight": None,
    "grad_2.0_norm_total": None,
    "global_gradient_norm": None,
    "grad_norm_clipped": None,
    "gradients/norm1.weight": None,
    "train/policy_gradient_loss": None,
    "Model/Norm": None,
}


@pytest.mark.parametrize("tag", TENSORS)
def test_a_histogram_is_understood(tag: str) -> None:
    found = tensor_tag(tag)
    told = None if found is None else (found.quantity, found.part, " ".join(found.layer))
    assert told == TENSORS[tag]


@pytest.mark.parametrize("tag", SIZES)
def test_a_size_is_understood(tag: str) -> None:
    found = size_tag(tag)
    told = None if found is None else (found.statistic, found.part, " ".join(found.layer))
    assert told == SIZES[tag]


@pytest.mark.parametrize(
    ("tag", "function", "gate"),
    [
        ("activations/layer1", "", False),
        ("tanh_1", "tanh", False),
        ("layer1/sigmoid/activations", "sigmoid", False),
        ("lstm/forget_gate/activations", "", True),
        ("output/logits", "", True),
        ("activations/softmax", "", True),
        ("dense_1_out", "", False),
    ],
)
def test_gates_and_functions_are_told(tag: str, function: str, gate: bool) -> None:
    found = tensor_tag(tag)
    assert found is not None
    assert (found.function, found.gate) == (function, gate)


@pytest.mark.parametrize(
    ("tags", "order"),
    [
        # numbers alone order a family, however it was logged
        (["fc1.weight", "fc10.weight", "fc2.weight"], (0, 2, 1)),
        (["h.0.mlp.weight", "h.1.mlp.weight"], (0, 1)),
        # the order of definition, which is not the alphabet's
        (["stem.weight", "block1.weight", "block2.weight", "head.weight"], (0, 1, 2, 3)),
        # the alphabet tells nothing, nor do hooks that log from the last layer to the first
        (["body1.weight", "tail1.weight", "trunk1.weight"], None),
        (["tail.weight", "body2.weight", "body1.weight"], None),
        (["a.weight", "a.weight"], None),
        # but names may
        (["block1.weight", "head.weight", "stem.weight"], (2, 0, 1)),
        (["head.weight", "block2.weight", "block1.weight"], (2, 1, 0)),
        (["classifier.weight", "features.0.weight", "features.3.weight"], (1, 2, 0)),
        (["conv1.weight", "conv2.weight", "fc1.weight", "fc2.weight"], (0, 1, 2, 3)),
        # parts of the same blocks, two bodies, and two heads beside each other
        (["blocks.0.attn.weight", "blocks.0.fc.weight", "blocks.1.attn.weight"], None),
        (["decoder.0.weight", "encoder.0.weight", "head.weight"], None),
        (["body1.weight", "head1.weight", "head2.weight"], None),
        (["body.weight", "body1.weight", "head.weight"], None),
    ],
)
def test_layers_stand_in_order_only_where_it_is_known(
    tags: list[str], order: tuple[int, ...] | None
) -> None:
    layers = [split(tag.removesuffix(".weight")) for tag in tags]
    assert network_order(layers, tags) == order
