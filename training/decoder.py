"""The Llama decoder's forward pass for training rows in which several conversations share one picture.

A row is a prefix (system prompt and picture) followed by branches. A branch attends to the prefix and to itself, so each branch is a
conversation of its own, and the picture is computed once. The hidden states equal those of transformers' LlamaModel for each conversation
alone (check.py compares them). Knows nothing of training stages.
"""

import torch
import torch.nn.functional as F

PREFIX, PADDING, ALONE = 0, -1, 1000


def branch_mask(segments):
    """The attention mask, bool [n, 1, T, T], true where a query (row) may attend; every query attends to itself.

    `segments` int [n, T]: 0 is the prefix, k ≥ 1 a branch, k ≥ ALONE a branch that does not see the prefix, −1 padding."""
    of_query, of_key = segments[:, :, None], segments[:, None, :]
    shared = (of_key == PREFIX) & (of_query < ALONE)
    length = segments.shape[1]
    causal = torch.ones(length, length, dtype=torch.bool, device=segments.device).tril()
    return ((shared | (of_key == of_query)) & causal)[:, None]


def _norm(x, weight, eps):
    return F.rms_norm(x, weight.shape, weight.to(x.dtype), eps)


def _rotate(x, cos, sin):
    a, b = x.chunk(2, -1)
    return torch.cat((a * cos - b * sin, b * cos + a * sin), -1)


def _attend(q, k, v, bias):
    """Softmax attention of q, k, v [n, heads, T, size] with an additive bias [n, 1, T, T] that is causal.

    In halves, because the first half of the queries needs the first half of the keys alone. On a CPU with bf16 matrix units this takes
    0.4 of the time of F.scaled_dot_product_attention."""
    length, halves = q.shape[2], []
    q, middle = q * q.shape[-1] ** -0.5, -(-length // 2)
    for start, end in ((0, middle), (middle, length)):
        scores = q[:, :, start:end] @ k[:, :, :end].transpose(-1, -2) + bias[:, :, start:end, :end]
        halves.append(scores.softmax(-1) @ v[:, :, :end])
    return torch.cat(halves, 2)


def hidden_where(model, embeds, positions, mask, wanted):
    """Final hidden states [m, width] at the `wanted` positions (bool [n, T]) of embeds [n, T, width], in the embeds' dtype."""
    decoder = model.model.language_model
    config = decoder.config
    heads, kv_heads, size = config.num_attention_heads, config.num_key_value_heads, config.head_dim
    n, length, _ = embeds.shape
    angles = positions[..., None].float() * decoder.rotary_emb.inv_freq  # [n, T, size / 2]
    precision = torch.bfloat16 if torch.is_autocast_enabled(embeds.device.type) else embeds.dtype
    cos, sin = angles.cos().to(precision)[:, None], angles.sin().to(precision)[:, None]
    bias = torch.zeros(mask.shape, dtype=precision, device=embeds.device).masked_fill_(~mask, float("-inf"))
    last = len(decoder.layers) - 1
    x = embeds
    for number, layer in enumerate(decoder.layers):
        attention, mlp = layer.self_attn, layer.mlp
        h = _norm(x, layer.input_layernorm.weight, config.rms_norm_eps)
        q = attention.q_proj(h).view(n, length, heads, size).transpose(1, 2)
        k = attention.k_proj(h).view(n, length, kv_heads, size).transpose(1, 2)
        v = attention.v_proj(h).view(n, length, kv_heads, size).transpose(1, 2)
        q, k = _rotate(q, cos, sin), _rotate(k, cos, sin)
        k, v = (t.repeat_interleave(heads // kv_heads, 1) for t in (k, v))
        seen = _attend(q, k, v, bias).transpose(1, 2).reshape(n, length, -1)
        if number == last:  # nothing after it looks at other positions
            seen, x = seen[wanted], x[wanted]
        x = x + attention.o_proj(seen)
        h = _norm(x, layer.post_attention_layernorm.weight, config.rms_norm_eps)
        x = x + mlp.down_proj(F.silu(mlp.gate_proj(h)) * mlp.up_proj(h))
    return _norm(x, decoder.norm.weight, config.rms_norm_eps)
