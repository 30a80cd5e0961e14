#!/usr/bin/env python3
"""Writes tests/golden: tiny random Llama models and what PyTorch and transformers compute with them.

Needs Python with torch, transformers (5 or later), safetensors and gguf. Run in the repository's root:

    python3 tools/reference.py

For each of three models, a folder as transformers saves it, with adapter/ as PEFT saves it, and
golden.safetensors (a target is the token that follows a row, -1 where there is none):

    tokens targets logits logprobs loss   one sequence; loss is the mean over its targets
    greedy                                the tokens that follow `tokens` by argmax
    bf16.logits bf16.logprobs             the same with model.to(bfloat16)
    packed.*                              two sequences of packed.lengths, each alone, one behind the other
    lora.logits lora.logprobs             of `tokens`, with the adapter
    lora.loss lora.grad.NAME lora.losses  of `packed`: loss, gradients, and the loss before each of ten steps
    bf16.lora.loss and so on              the same with model and adapter in bfloat16; steps on values in f32
    dropout.loss dropout.grad.NAME        the same with DROPOUT of what each projection's adapter sees (grouped
                                          only), the mask being the function of DROPOUT_KEY of Ops::dropout
    dora.*                                as lora.*, of dora/: rsLoRA, DoRA, and ranks and alphas by pattern
                                          (grouped only)
    full.loss full.grad.NAME full.losses  the same when every weight is trained
    long.tokens long.logits               a longer sequence (grouped only), to be computed in chunks

Everything is f32 except bf16.*, whose results are widened. The steps are torch.optim.AdamW's (betas 0.9 and
0.999, eps 1e-8), LoRA: lr 1e-2 (DoRA 5e-3), weight decay 0.01 on all of it; full: lr 1e-3, weight decay 0.01 on the
two-dimensional weights (embedding and lm_head among them), none on norms. No clipping.

rope.safetensors holds the inverse frequencies of Llama-3.1-8B and Llama-3.2-3B.

quant.safetensors holds rows (x) of all sorts, what llama.cpp's library (libggml-base, found by the loader) makes of
them in each of its types (q8_0 ...), and what it makes of that again (q8_0.values ...). nf4.safetensors holds what
bitsandbytes stores for a weight that nf4_weight() and the test both make, computed here by its formulas.
adamw_8bit.safetensors holds its two dynamic maps, and ten steps of AdamW with moments in 8 bits: the values (w0, then
w after each step), the gradients, and codes and scales of both moments after each step.

llama.gguf is a model with its tokenizer, weights q8_0, written by the gguf package; llama_gguf.safetensors holds what
transformers computes with the weights that the package reads from it (tokens, logits of the last 16, inv_freq).
"""

import copy
import ctypes
import ctypes.util
import json
import math
import shutil
from pathlib import Path

import gguf
import numpy as np
import torch
from safetensors.torch import save_file
from transformers import LlamaConfig, LlamaForCausalLM
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

GOLDEN = Path("tests/golden")
PROJECTIONS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
RANK, ALPHA, DORA_ALPHA = 4, 8, 3
DROPOUT, DROPOUT_KEY = 0.25, 12345
RANK_PATTERN, ALPHA_PATTERN = {"v_proj": 2, "layers.1.mlp.up_proj": 6}, {"q_proj": 4}
EOS = 2


def llama3_rope(theta, factor, original):
    return {"rope_type": "llama3", "rope_theta": theta, "factor": factor, "low_freq_factor": 1.0,
            "high_freq_factor": 4.0, "original_max_position_embeddings": original}


# Sizes that are no multiple of a vector's, and wavelengths on all three sides of the scaling's cuts.
MODELS = {
    "tied": dict(hidden_size=32, intermediate_size=56, num_hidden_layers=2, num_attention_heads=4,
                 num_key_value_heads=2, vocab_size=101, max_position_embeddings=128,
                 tie_word_embeddings=True, rope_parameters=llama3_rope(10000.0, 8.0, 32)),
    "head_dim": dict(hidden_size=36, intermediate_size=70, num_hidden_layers=3, num_attention_heads=4,
                     num_key_value_heads=4, head_dim=16, vocab_size=89, max_position_embeddings=128,
                     tie_word_embeddings=False, rope_parameters=llama3_rope(500000.0, 32.0, 48)),
    "grouped": dict(hidden_size=48, intermediate_size=88, num_hidden_layers=2, num_attention_heads=6,
                    num_key_value_heads=2, vocab_size=97, max_position_embeddings=512,
                    tie_word_embeddings=False, rope_parameters=llama3_rope(10000.0, 4.0, 64)),
}


def make_model(shape):
    config = LlamaConfig(**shape, rms_norm_eps=1e-5, bos_token_id=1, eos_token_id=EOS,
                         attn_implementation="eager", dtype=torch.float32)
    model = LlamaForCausalLM(config)
    for name, weight in model.named_parameters():
        if weight.dim() == 1:
            weight.data.uniform_(0.5, 1.5)
        elif "embed_tokens" in name or "lm_head" in name:
            weight.data.normal_(0, 0.8 / math.sqrt(weight.shape[1]))  # so that logits are not flat
        else:
            peaked = "q_proj" in name or "k_proj" in name  # so that attention is not flat
            weight.data.normal_(0, (0.8 if peaked else 0.4) / math.sqrt(weight.shape[1]))
    return model.eval()


def splitmix(state):
    """One output of SplitMix64 from the state before it."""
    z = (state + 0x9E3779B97F4A7C15) % 2**64
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 % 2**64
    z = (z ^ z >> 27) * 0x94D049BB133111EB % 2**64
    return z ^ z >> 31


def mix32(h):
    h = (h ^ h >> 16) * 0x7FEB352D % 2**32
    h = (h ^ h >> 15) * 0x846CA68B % 2**32
    return h ^ h >> 16


def dropout_mask(rows, cols, key):
    """What Ops::dropout keeps, times 1 / (1 - p)."""
    keys = [splitmix((key + row) % 2**64) for row in rows]
    kept = [[(mix32((j + (k & 0xFFFFFFFF)) % 2**32) ^ k >> 32) >= DROPOUT * 2**32 for j in range(cols)] for k in keys]
    return torch.tensor(kept).float() / (1 - DROPOUT)


def of_pattern(pattern, module, fallback):
    return next((value for end, value in pattern.items() if ("." + module).endswith("." + end)), fallback)


class Lora(torch.nn.Module):
    """y = W x + scale * B (A x) with scale alpha / r, or as rsLoRA alpha / sqrt(r); as DoRA with every output scaled
    to magnitude / |W + scale B A|, a constant to the gradient. `rows` are set for dropout: the numbers of the rows
    in their batch."""

    def __init__(self, base, module, dora, dropout_key):
        super().__init__()
        out_features, in_features = base.weight.shape
        rank = of_pattern(RANK_PATTERN, module, RANK) if dora else RANK
        alpha = of_pattern(ALPHA_PATTERN, module, DORA_ALPHA) if dora else ALPHA
        self.base, self.scale, self.dropout_key, self.rows = base, alpha / (rank ** 0.5 if dora else rank), dropout_key, None
        self.a = torch.nn.Parameter(torch.randn(rank, in_features) / math.sqrt(in_features))
        self.b = torch.nn.Parameter(torch.randn(out_features, rank) * 0.1)
        self.magnitude = torch.nn.Parameter(self.norm() * (1 + 0.1 * torch.randn(out_features))) if dora else None

    def norm(self):
        return (self.base.weight + self.scale * self.b @ self.a).detach().norm(dim=1)

    def forward(self, x):
        seen = x
        if self.rows is not None:
            seen = x * dropout_mask(self.rows[: x.shape[-2]], x.shape[-1], self.dropout_key)
        y = self.base(x) + (seen @ self.a.T) @ self.b.T * self.scale
        return y if self.magnitude is None else y * (self.magnitude / self.norm())


def add_lora(model, dora=False):
    """Wraps the seven projections of every layer; returns the trainable tensors by their names in PEFT's file."""
    model.requires_grad_(False)
    for i, layer in enumerate(model.model.layers):
        index = 0
        for part in ("self_attn", "mlp"):
            block = getattr(layer, part)
            for projection in PROJECTIONS:
                if not hasattr(block, projection):
                    continue
                module = f"model.layers.{i}.{part}.{projection}"
                lora = Lora(getattr(block, projection), module, dora, splitmix(DROPOUT_KEY + 7 * i + index))
                index += 1
                setattr(block, projection, lora)
    return lora_tensors(model)


def lora_tensors(model):
    named = {}
    for module, lora in model.named_modules():
        if isinstance(lora, Lora):
            named[f"base_model.model.{module}.lora_A.weight"] = lora.a
            named[f"base_model.model.{module}.lora_B.weight"] = lora.b
            if lora.magnitude is not None:
                named[f"base_model.model.{module}.lora_magnitude_vector"] = lora.magnitude
    return named


def set_dropout(model, rows):
    for module in model.modules():
        if isinstance(module, Lora):
            module.rows = rows


def save_adapter(folder, named, dora=False):
    folder.mkdir()
    config = {"alpha_pattern": ALPHA_PATTERN if dora else {}, "auto_mapping": None, "base_model_name_or_path": "..",
              "bias": "none", "fan_in_fan_out": False, "inference_mode": True, "init_lora_weights": True,
              "layers_pattern": None, "layers_to_transform": None, "lora_alpha": DORA_ALPHA if dora else ALPHA, "lora_dropout": 0.0,
              "modules_to_save": None, "peft_type": "LORA", "r": RANK, "rank_pattern": RANK_PATTERN if dora else {},
              "revision": None, "target_modules": PROJECTIONS, "task_type": "CAUSAL_LM", "use_dora": dora,
              "use_rslora": dora}
    (folder / "adapter_config.json").write_text(json.dumps(config, indent=2, sort_keys=True))
    tensors = {name: tensor.detach().contiguous() for name, tensor in named.items()}
    save_file(tensors, folder / "adapter_model.safetensors", metadata={"format": "pt"})


def dropout(model, packed, named):
    """Loss and gradients with dropout. The mask goes by the row in the packed batch; in the last layer the adapters
    of what follows the keys and values see only the rows with targets, one behind the other."""
    out, loss, count = {}, 0, 0
    targets = torch.cat([targets for _, targets in packed])
    begin, out_begin = 0, 0
    for tokens, own_targets in packed:
        wanted = (own_targets >= 0).nonzero()[:, 0]
        n = len(tokens)
        numbers = torch.zeros(n, dtype=torch.int64)
        numbers[wanted] = out_begin + torch.arange(len(wanted))
        set_dropout(model, list(range(begin, begin + n)))
        last = model.model.layers[-1]
        for part, projection in [("self_attn", "q_proj"), ("self_attn", "o_proj"), ("mlp", "gate_proj"),
                                 ("mlp", "up_proj"), ("mlp", "down_proj")]:
            getattr(getattr(last, part), projection).rows = numbers.tolist()
        logits = model(tokens[None], use_cache=False).logits[0]
        loss = loss + torch.nn.functional.cross_entropy(logits, own_targets, ignore_index=-1, reduction="sum")
        begin, out_begin = begin + n, out_begin + len(wanted)
    loss = loss / (targets >= 0).sum()
    model.zero_grad()
    loss.backward()
    set_dropout(model, None)
    out["dropout.loss"] = loss.detach().reshape(1)
    for name, tensor in named.items():
        out[f"dropout.grad.{name}"] = tensor.grad.clone()
    return out


def sequence(vocab_size, length, prompt):
    """Random tokens, and targets for what follows the prompt; the last is the end of the turn."""
    tokens = torch.randint(3, vocab_size, (length,))
    tokens[0] = 1
    targets = torch.cat([tokens[1:], torch.tensor([EOS])])
    targets[: prompt - 1] = -1
    return tokens, targets


def logits_of(model, sequences):
    return torch.cat([model(tokens[None], use_cache=False).logits[0].float() for tokens, _ in sequences])


def logprobs_of(logits, targets):
    picked = logits.log_softmax(-1).gather(-1, targets.clamp(min=0)[:, None])[:, 0]
    return torch.where(targets >= 0, picked, torch.zeros_like(picked))


def mean_loss(model, sequences):
    targets = torch.cat([targets for _, targets in sequences])
    return torch.nn.functional.cross_entropy(logits_of(model, sequences), targets, ignore_index=-1)


def train(model, sequences, named, groups, prefix):
    """Gradients at the start, then the losses of ten steps."""
    out = {}
    optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.999), eps=1e-8, foreach=False)
    losses = []
    for step in range(10):
        optimizer.zero_grad()
        loss = mean_loss(model, sequences)
        loss.backward()
        losses.append(loss.detach())
        if step == 0:
            out[f"{prefix}.loss"] = losses[0].reshape(1)
            for name, tensor in named.items():
                out[f"{prefix}.grad.{name}"] = tensor.grad.clone()
        optimizer.step()
    out[f"{prefix}.losses"] = torch.stack(losses)
    return out


def train_bf16(model, sequences):
    """The LoRA of `train`, on a copy of the model in bf16 whose adapter the optimizer also keeps in f32."""
    half = copy.deepcopy(model).to(torch.bfloat16)
    named = lora_tensors(half)
    masters = {name: tensor.detach().clone() for name, tensor in lora_tensors(model).items()}
    out, losses = {}, []
    optimizer = torch.optim.AdamW(masters.values(), lr=1e-2, weight_decay=0.01, foreach=False)
    for step in range(10):
        half.zero_grad()
        loss = mean_loss(half, sequences)
        loss.backward()
        losses.append(loss.detach())
        for name, tensor in named.items():
            masters[name].grad = tensor.grad.float()
            if step == 0:
                out[f"bf16.lora.grad.{name}"] = masters[name].grad.clone()
        optimizer.step()
        for name, tensor in named.items():
            tensor.data.copy_(masters[name])
    return out | {"bf16.lora.loss": losses[0].reshape(1), "bf16.lora.losses": torch.stack(losses)}


def inference(model, single, packed, out):
    tokens, targets = single
    out["tokens"], out["targets"] = tokens, targets
    out["logits"] = logits_of(model, [single])
    out["logprobs"] = logprobs_of(out["logits"], targets)
    out["loss"] = mean_loss(model, [single]).reshape(1)
    out["greedy"] = model.generate(tokens[None], max_new_tokens=16, do_sample=False,
                                   eos_token_id=None, pad_token_id=0)[0, len(tokens):]
    out["packed.lengths"] = torch.tensor([len(tokens) for tokens, _ in packed])
    out["packed.tokens"] = torch.cat([tokens for tokens, _ in packed])
    out["packed.targets"] = torch.cat([targets for _, targets in packed])
    out["packed.logits"] = logits_of(model, packed)
    out["packed.logprobs"] = logprobs_of(out["packed.logits"], out["packed.targets"])
    out["packed.loss"] = mean_loss(model, packed).reshape(1)


def dora(folder, single, packed):
    model = LlamaForCausalLM.from_pretrained(folder, attn_implementation="eager").eval()
    named = add_lora(model, dora=True)
    save_adapter(folder / "dora", named, dora=True)
    out = {}
    with torch.no_grad():
        out["dora.logits"] = logits_of(model, [single])
    groups = [{"params": list(named.values()), "lr": 5e-3, "weight_decay": 0.01}]
    return out | train(model, packed, named, groups, "dora")


def golden(name, shape):
    folder = GOLDEN / name
    shutil.rmtree(folder, ignore_errors=True)
    model = make_model(shape)
    model.save_pretrained(folder)
    vocab_size = shape["vocab_size"]
    single = sequence(vocab_size, 40, 15)
    packed = [sequence(vocab_size, 23, 9), sequence(vocab_size, 31, 20)]
    out = {}
    with torch.no_grad():
        inference(model, single, packed, out)
        if name == "grouped":
            tokens, targets = sequence(vocab_size, 200, 1)
            out["long.tokens"], out["long.logits"] = tokens, logits_of(model, [(tokens, targets)])

        half = LlamaForCausalLM.from_pretrained(folder, attn_implementation="eager").to(torch.bfloat16).eval()
        out["bf16.logits"] = logits_of(half, [single])
        out["bf16.logprobs"] = logprobs_of(out["bf16.logits"], single[1])

    fresh = LlamaForCausalLM.from_pretrained(folder, attn_implementation="eager").eval()
    named = dict(fresh.named_parameters())
    groups = [{"params": [p for p in named.values() if p.dim() == 2], "lr": 1e-3, "weight_decay": 0.01},
              {"params": [p for p in named.values() if p.dim() == 1], "lr": 1e-3, "weight_decay": 0.0}]
    out |= train(fresh, packed, named, groups, "full")

    named = add_lora(model)
    save_adapter(folder / "adapter", named)
    with torch.no_grad():
        out["lora.logits"] = logits_of(model, [single])
        out["lora.logprobs"] = logprobs_of(out["lora.logits"], single[1])
    if name == "grouped":
        out |= dropout(model, packed, named)
    out |= train_bf16(model, packed)
    out |= train(model, packed, named, [{"params": list(named.values()), "lr": 1e-2, "weight_decay": 0.01}],
                 "lora")
    if name == "grouped":
        out |= dora(folder, single, packed)

    out = {key: (value.int() if value.dtype == torch.int64 else value).detach().contiguous().clone()
           for key, value in out.items()}
    save_file(out, folder / "golden.safetensors", metadata={"format": "pt"})
    print(f"{name}: {sum(p.numel() for p in fresh.parameters())} parameters, logits {out['logits'].std():.2f} rms, "
          f"loss {out['loss'].item():.3f}, "
          f"bf16 off by {(out['bf16.logprobs'] - out['logprobs']).abs().max():.4f}, "
          f"LoRA {out['lora.losses'][0]:.3f} -> {out['lora.losses'][-1]:.3f}, "
          f"full {out['full.losses'][0]:.3f} -> {out['full.losses'][-1]:.3f}")


def rope():
    def inv_freq(heads, dim, factor):
        config = LlamaConfig(hidden_size=dim, num_attention_heads=heads, head_dim=128,
                             max_position_embeddings=131072, rope_parameters=llama3_rope(500000.0, factor, 8192))
        return LlamaRotaryEmbedding(config).inv_freq.clone()

    save_file({"llama31": inv_freq(32, 4096, 8.0), "llama32": inv_freq(24, 3072, 32.0)},
              GOLDEN / "rope.safetensors", metadata={"format": "pt"})


def quant_rows():
    """Rows of 256 of every sort that a quantizer may meet; no NaN, none above f16's largest."""
    random = np.random.default_rng(7)
    normal = random.standard_normal((3, 256))
    rows = [normal[0], normal[1] * 0.02, normal[2] * 60, random.uniform(-1, 1, 256), random.uniform(0, 1, 256),
            random.uniform(-3, -2, 256), np.zeros(256), np.full(256, 0.37), random.standard_normal(256) * 1e-7,
            random.standard_normal(256) * 1e-20, random.uniform(-65504, 65504, 256),
            random.standard_t(3, 256) * 0.01]
    mixed = random.standard_normal(256) * np.repeat([1, 0, 1e-3, 1e3, 1, 1e-12, 5, 1], 32)
    mixed[::9] = -0.0
    mixed[5::31] = 1e-40  # no normal number
    outlier = random.standard_normal(256) * 0.02
    outlier[100], outlier[200] = 9, -7
    few = np.zeros(256)
    few[[3, 40, 41, 255]] = 1, -1, 1, 0.5
    return np.array(rows + [mixed, outlier, few], dtype=np.float32)


def quant():
    ggml = ctypes.CDLL(ctypes.util.find_library("ggml-base") or "libggml-base.so.0")
    x = quant_rows()
    rows, cols = x.shape
    out = {"x": torch.from_numpy(x)}
    for name, symbol, block, size in [("q8_0", "q8_0", 32, 34), ("q4_0", "q4_0", 32, 18),
                                      ("q4_k", "q4_K", 256, 144), ("q6_k", "q6_K", 256, 210)]:
        packed = np.zeros((rows, cols // block * size), dtype=np.uint8)
        values = np.zeros_like(x)
        getattr(ggml, f"quantize_row_{symbol}_ref")(
            ctypes.c_void_p(x.ctypes.data), ctypes.c_void_p(packed.ctypes.data), ctypes.c_int64(x.size))
        getattr(ggml, f"dequantize_row_{symbol}")(
            ctypes.c_void_p(packed.ctypes.data), ctypes.c_void_p(values.ctypes.data), ctypes.c_int64(x.size))
        out[name], out[f"{name}.values"] = torch.from_numpy(packed), torch.from_numpy(values)
        print(f"{name}: rms error {np.sqrt(np.mean((values[0] - x[0]) ** 2)):.5f} of a normal row")
    save_file(out, GOLDEN / "quant.safetensors", metadata={"format": "pt"})


def nf4_weight(rows, cols):
    """Pseudo-random numbers that any language makes alike; every fifth block larger, one block zero."""
    i = np.arange(rows * cols, dtype=np.uint64)
    unit = ((i * np.uint64(2654435761) & np.uint64(0xFFFFFFFF)) >> np.uint64(8)).astype(np.float32) / np.float32(2**24)
    scale = np.where(i // np.uint64(64) % np.uint64(5) == 0, np.float32(0.25), np.float32(0.03125))
    x = (unit - np.float32(0.5)) * scale.astype(np.float32)
    x[640:704] = 0
    return x.reshape(rows, cols)


def dynamic_map(signed=True):
    """bitsandbytes' create_dynamic_map(signed, max_exponent_bits=7, total_bits=8)."""
    data = []
    for i in range(7):
        boundaries = torch.linspace(0.1, 1, (2**i if signed else 2 ** (i + 1)) + 1, dtype=torch.float32)
        means = (boundaries[:-1] + boundaries[1:]) / 2.0
        data += ((10 ** (i - 6)) * means).tolist()
        if signed:
            data += (-(10 ** (i - 6)) * means).tolist()
    return np.sort(np.array(data + [0, 1.0], dtype=np.float32))


NF4_VALUES = np.array([-1, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635,
                       -0.18477343022823334, -0.09105003625154495, 0, 0.07958029955625534, 0.16093020141124725,
                       0.24611230194568634, 0.33791524171829224, 0.44070982933044434, 0.5626170039176941,
                       0.7229568362236023, 1], dtype=np.float32)
NF4_THRESHOLDS = np.array([-0.8480964004993439, -0.6106329262256622, -0.4599952697753906, -0.33967943489551544,
                           -0.23460740596055984, -0.13791173323988914, -0.045525018125772476, 0.03979014977812767,
                           0.1202552504837513, 0.2035212516784668, 0.2920137718319893, 0.3893125355243683,
                           0.5016634166240692, 0.6427869200706482, 0.8614784178118011], dtype=np.float32)


def nf4_parts(weight):
    """What bitsandbytes stores for a weight of f32 with double quantization, and the `result` it decodes to."""
    x = weight.reshape(-1, 64)
    absmax = np.abs(x).max(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        scaled = x * (np.float32(1) / absmax)[:, None]  # NaN in a block of zeros, for which a zero is chosen
    q = np.where(np.isnan(scaled), 7, (scaled[..., None] > NF4_THRESHOLDS).sum(-1)).astype(np.uint8).reshape(-1)

    code = dynamic_map()
    middles = (code[:-1] + code[1:]) * np.float32(0.5)
    offset = np.float32(absmax.astype(np.float64).mean())
    shifted = absmax - offset
    nested = np.array([np.abs(shifted[i:i + 256]).max() for i in range(0, len(shifted), 256)], dtype=np.float32)
    normal = shifted * (np.float32(1) / nested)[np.arange(len(shifted)) // 256]
    codes = (normal[:, None] > middles).sum(-1).astype(np.uint8)
    restored = code[codes] * nested[np.arange(len(codes)) // 256] + offset
    return {"weight": (q[0::2] << 4 | q[1::2]).reshape(-1, 1), "absmax": codes, "nested_absmax": nested,
            "nested_quant_map": code, "offset": offset,
            "result": (NF4_VALUES[q].reshape(-1, 64) * restored[:, None]).reshape(weight.shape)}


def nf4():
    rows, cols = 9, 2048
    parts = nf4_parts(nf4_weight(rows, cols))
    result = parts["result"]
    state = {"quant_type": "nf4", "blocksize": 64, "dtype": "bfloat16", "shape": [rows, cols],
             "nested_blocksize": 256, "nested_dtype": "float32", "nested_offset": float(parts["offset"])}
    as_bytes = np.frombuffer(json.dumps(state).encode(), dtype=np.uint8).copy()
    save_file({"weight": torch.from_numpy(parts["weight"]), "weight.absmax": torch.from_numpy(parts["absmax"]),
               "weight.quant_map": torch.from_numpy(NF4_VALUES),
               "weight.nested_absmax": torch.from_numpy(parts["nested_absmax"]),
               "weight.nested_quant_map": torch.from_numpy(parts["nested_quant_map"]),
               "weight.quant_state.bitsandbytes__nf4": torch.from_numpy(as_bytes),
               "first_and_last_row": torch.from_numpy(result[[0, -1]].copy())},
              GOLDEN / "nf4.safetensors", metadata={"format": "pt"})
    print(f"nf4: rms error {np.sqrt(np.mean((result - nf4_weight(rows, cols)) ** 2)):.6f}")


def adamw_8bit():
    """Ten steps of AdamW with moments in 8 bits: Dettmers et al. 2022, Adam's formulas as PyTorch has them, in double
    but for what is stored, and a v above 0 has at least code 1. Gradients are one row a step; the values of a block
    differ by powers of ten."""
    steps, n, lr, decay, beta1, beta2, eps = 10, 700, 1e-2, 0.1, 0.9, 0.999, 1e-8
    maps = {"m": dynamic_map(), "v": dynamic_map(signed=False)}
    unit = nf4_weight(1, (steps + 1) * n).reshape(steps + 1, n) * 8
    w, grads = unit[0].astype(np.float64), unit[1:] * np.float32(10.0) ** -(np.arange(n) % 5).astype(np.float32)
    out = {"w0": unit[0].copy(), "grads": grads, "signed_map": maps["m"], "unsigned_map": maps["v"]}
    state = {name: np.zeros(n) for name in maps}
    kept = {key: [] for key in ("w", "m.codes", "m.scales", "v.codes", "v.scales")}

    def store(name, x):
        """What 8 bits make of x; of two codes as near the lower."""
        code, values = maps[name], x.astype(np.float32)
        scales = np.array([np.abs(values[i:i + 256]).max() for i in range(0, n, 256)], dtype=np.float32)
        by_value = scales[np.arange(n) // 256]
        middles = (code[:-1] + code[1:]) * np.float32(0.5)
        codes = np.searchsorted(middles, values / by_value, side="left").astype(np.uint8)
        if name == "v":
            codes = np.where(values > 0, np.maximum(codes, 1), codes).astype(np.uint8)
        kept[f"{name}.codes"].append(codes)
        kept[f"{name}.scales"].append(scales)
        return (code[codes] * by_value).astype(np.float64)

    for step in range(1, steps + 1):
        g = grads[step - 1].astype(np.float64)
        m = beta1 * state["m"] + (1 - beta1) * g
        v = beta2 * state["v"] + (1 - beta2) * g * g
        w = w * (1 - lr * decay)
        w = w - lr / (1 - beta1**step) * m / (np.sqrt(v) / math.sqrt(1 - beta2**step) + eps)
        state = {"m": store("m", m), "v": store("v", v)}
        kept["w"].append(w.astype(np.float32))
    out |= {name: np.stack(rows) for name, rows in kept.items()}
    save_file({name: torch.from_numpy(x) for name, x in out.items()}, GOLDEN / "adamw_8bit.safetensors",
              metadata={"format": "pt"})


def byte_level_tokenizer():
    """All bytes, three merges and the special tokens of Llama 3's template: tokens, types, merges."""
    printable = [b for b in range(256) if 0x21 <= b <= 0x7E or (b >= 0xA1 and b != 0xAD)]
    others = [b for b in range(256) if b not in printable]
    tokens = [chr(b if b in printable else 0x100 + others.index(b)) for b in range(256)]
    merges = [("h", "e"), ("l", "l"), ("\u0120", "he")]
    tokens += [left + right for left, right in merges]
    special = ["<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"]
    types = [gguf.TokenType.NORMAL] * len(tokens) + [gguf.TokenType.CONTROL] * len(special)
    return tokens + special, types, [" ".join(pair) for pair in merges]


def gguf_model():
    tokens, types, merges = byte_level_tokenizer()
    shape = dict(hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
                 num_key_value_heads=1, head_dim=16, vocab_size=len(tokens), max_position_embeddings=128,
                 tie_word_embeddings=False, rope_parameters=llama3_rope(10000.0, 8.0, 32))
    model = make_model(shape)
    config = model.config
    inv_freq = model.model.rotary_emb.inv_freq
    factors = (1 / (10000.0 ** (torch.arange(0, 16, 2).float() / 16)) / inv_freq).numpy()
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, config.num_hidden_layers)

    writer = gguf.GGUFWriter(GOLDEN / "llama.gguf", "llama")
    writer.add_type(gguf.GGUFType.MODEL)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)
    writer.add_context_length(128)
    writer.add_embedding_length(32)
    writer.add_block_count(2)
    writer.add_feed_forward_length(64)
    writer.add_vocab_size(len(tokens))
    writer.add_head_count(2)
    writer.add_head_count_kv(1)
    writer.add_key_length(16)
    writer.add_value_length(16)
    writer.add_rope_dimension_count(16)
    writer.add_rope_freq_base(10000.0)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("llama-bpe")
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    writer.add_token_merges(merges)
    writer.add_bos_token_id(tokens.index("<|begin_of_text|>"))
    writer.add_eos_token_id(tokens.index("<|eot_id|>"))
    writer.add_tensor("rope_freqs.weight", factors)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            data = weight.numpy().copy()
            target = names.get_name(name, try_suffixes=(".weight",))
            if data.ndim == 1:
                writer.add_tensor(target, data)
                continue
            quantized = gguf.quantize(data, gguf.GGMLQuantizationType.Q8_0)
            weight.copy_(torch.from_numpy(gguf.dequantize(quantized, gguf.GGMLQuantizationType.Q8_0)))
            if "q_proj" in name or "k_proj" in name:  # a row's blocks stay together
                quantized = quantized.reshape(-1, 2, 8, quantized.shape[1]).swapaxes(1, 2).reshape(quantized.shape)
            writer.add_tensor(target, quantized, raw_dtype=gguf.GGMLQuantizationType.Q8_0)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        ids, _ = sequence(len(tokens) - 5, 40, 1)
        logits = logits_of(model, [(ids, None)])[-16:]
    save_file({"tokens": ids.int(), "logits": logits.contiguous().clone(), "inv_freq": inv_freq.clone()},
              GOLDEN / "llama_gguf.safetensors", metadata={"format": "pt"})
    print(f"llama.gguf: logits {logits.std():.2f} rms")


def main():
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    GOLDEN.mkdir(parents=True, exist_ok=True)
    for seed, (name, shape) in enumerate(MODELS.items()):
        torch.manual_seed(seed)
        golden(name, shape)
    rope()
    quant()
    nf4()
    adamw_8bit()
    torch.manual_seed(len(MODELS))
    gguf_model()


if __name__ == "__main__":
    main()
