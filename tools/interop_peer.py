#!/usr/bin/env python3
"""What PyTorch, transformers, tokenizers and gguf say of a model or an adapter, for tools/interop.py.

Reads calls from standard input and answers on standard output, one JSON object a line: {"call": NAME, "with": {...}}
is answered by {"result": ...} or {"error": "..."}. The calls are the functions of CALLS; paths are relative to the
working folder. Adapters are applied by PEFT's formulas, written out here.
"""

import json
import math
import sys
import traceback
from pathlib import Path

import gguf
import numpy as np
import safetensors
import tokenizers
import torch
import transformers
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from reference import PROJECTIONS, llama3_rope, make_model, nf4_parts, of_pattern

PREFIX = "base_model.model."


def versions():
    return {"torch": torch.__version__, "transformers": transformers.__version__,
            "tokenizers": tokenizers.__version__, "safetensors": safetensors.__version__}


def open_model(folder, dtype="float32"):
    """Every tensor must be one of the model's, and every one of the model's must be there."""
    model, info = AutoModelForCausalLM.from_pretrained(folder, dtype=getattr(torch, dtype), output_loading_info=True,
                                                       attn_implementation="eager")
    problems = [f"{kind}: {sorted(names)}" for kind, names in info.items() if names]
    if problems:
        raise ValueError(f"{folder}: {'; '.join(problems)}")
    return model.eval()


def of_tokens(model, tokens):
    """Log-probabilities of every token after the first."""
    ids = torch.tensor(tokens)
    with torch.no_grad():
        logits = model(ids[None], use_cache=False).logits[0, :-1].float()
    return logits.log_softmax(-1).gather(-1, ids[1:, None])[:, 0].tolist()


def logprobs(folder, tokens, dtype="float32"):
    return of_tokens(open_model(folder, dtype), tokens)


def ids(folder, text):
    by_file = tokenizers.Tokenizer.from_file(f"{folder}/tokenizer.json")
    auto = AutoTokenizer.from_pretrained(folder)
    return [by_file.encode(text, add_special_tokens=False).ids, auto.encode(text, add_special_tokens=False)]


def save_again(folder, output, dtype, max_shard_size):
    """Returns the number of files of weights."""
    open_model(folder, dtype).save_pretrained(output, max_shard_size=max_shard_size)
    AutoTokenizer.from_pretrained(folder).save_pretrained(output)
    return len(list(Path(output).glob("*.safetensors")))


def save_random(output, vocab_size):
    """A model that was never ours, with a config of this version of transformers."""
    torch.manual_seed(5)
    make_model(dict(hidden_size=192, intermediate_size=320, num_hidden_layers=3, num_attention_heads=6,
                    num_key_value_heads=2, head_dim=48, vocab_size=vocab_size, max_position_embeddings=1024,
                    tie_word_embeddings=False, rope_parameters=llama3_rope(10000.0, 8.0, 64))).save_pretrained(output)


class Adapted(torch.nn.Module):
    """PEFT's LoRA: y = W x + s B A x, and with DoRA every output times magnitude / |W + s B A|."""

    def __init__(self, base, a, b, scale, magnitude):
        super().__init__()
        self.base, self.a, self.b, self.scale = base, a, b, scale
        self.factor = None
        if magnitude is not None:
            self.factor = magnitude / (base.weight + scale * b @ a).norm(dim=1)

    def forward(self, x):
        y = self.base(x) + self.scale * (x @ self.a.T @ self.b.T)
        return y if self.factor is None else y * self.factor


def apply_adapter(model, folder):
    """Wraps what the adapter's folder names; returns how many projections it adapts."""
    config = json.loads(Path(folder, "adapter_config.json").read_text())
    tensors = {name: tensor.float() for name, tensor in load_file(f"{folder}/adapter_model.safetensors").items()}
    modules = sorted({name.removeprefix(PREFIX).split(".lora_")[0] for name in tensors})
    for module in modules:
        a = tensors.pop(f"{PREFIX}{module}.lora_A.weight")
        b = tensors.pop(f"{PREFIX}{module}.lora_B.weight")
        rank = of_pattern(config["rank_pattern"], module, config["r"])
        alpha = of_pattern(config["alpha_pattern"], module, config["lora_alpha"])
        assert a.shape[0] == rank and module.rsplit(".", 1)[-1] in config["target_modules"]
        scale = alpha / (math.sqrt(rank) if config["use_rslora"] else rank)
        magnitude = tensors.pop(f"{PREFIX}{module}.lora_magnitude_vector") if config["use_dora"] else None
        parent, leaf = module.rsplit(".", 1)
        block = model.get_submodule(parent)
        setattr(block, leaf, Adapted(getattr(block, leaf), a, b, scale, magnitude))
    assert not tensors, sorted(tensors)
    return len(modules)


@torch.no_grad()
def adapted_logprobs(folder, adapter, tokens):
    model = open_model(folder)
    adapted = apply_adapter(model, adapter)
    return {"adapted": adapted, "logprobs": of_tokens(model, tokens)}


@torch.no_grad()
def write_adapter(folder, output, dora, dtype):
    """A random adapter as PEFT would save it, with ranks and alphas by pattern; with `dora` rsLoRA and DoRA."""
    torch.manual_seed(11)
    config = {"alpha_pattern": {"q_proj": 6}, "auto_mapping": None, "base_model_name_or_path": folder, "bias": "none",
              "corda_config": None, "eva_config": None, "exclude_modules": None, "fan_in_fan_out": False,
              "inference_mode": True, "init_lora_weights": True, "layer_replication": None, "layers_pattern": None,
              "layers_to_transform": None, "loftq_config": {}, "lora_alpha": 16, "lora_bias": False,
              "lora_dropout": 0.05, "megatron_config": None, "megatron_core": "megatron.core",
              "modules_to_save": None, "peft_type": "LORA", "r": 8,
              "rank_pattern": {"v_proj": 4, "model.layers.1.mlp.up_proj": 12}, "revision": None,
              "target_modules": PROJECTIONS, "task_type": "CAUSAL_LM", "trainable_token_indices": None,
              "use_dora": dora, "use_rslora": dora}
    tensors = {}
    for module, linear in open_model(folder).named_modules():
        if module.rsplit(".", 1)[-1] not in PROJECTIONS:
            continue
        rank = of_pattern(config["rank_pattern"], module, config["r"])
        rows, cols = linear.weight.shape
        tensors[f"{PREFIX}{module}.lora_A.weight"] = torch.randn(rank, cols) / math.sqrt(cols)
        tensors[f"{PREFIX}{module}.lora_B.weight"] = torch.randn(rows, rank) * 0.01
        if dora:
            length = linear.weight.norm(dim=1)
            tensors[f"{PREFIX}{module}.lora_magnitude_vector"] = length * (1 + 0.1 * torch.randn(rows))
    Path(output).mkdir(parents=True)
    Path(output, "adapter_config.json").write_text(json.dumps(config, indent=2, sort_keys=True))
    save_file({name: tensor.to(getattr(torch, dtype)) for name, tensor in tensors.items()},
              f"{output}/adapter_model.safetensors", metadata={"format": "pt"})


def rotates(name):
    return "q_proj" in name or "k_proj" in name


def gguf_names(config):
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, config.num_hidden_layers)
    return lambda name: names.get_name(name, try_suffixes=(".weight",))


def write_gguf(folder, output, like):
    """As convert_hf_to_gguf does: rows of queries and keys interleaved, norms f32, the rest f16. The chat template
    is that of the file `like`."""
    model = open_model(folder)
    config, to_gguf = model.config, gguf_names(model.config)
    source = json.loads(Path(folder, "tokenizer.json").read_text())
    added = {token["id"]: token["content"] for token in source["added_tokens"]}
    tokens = {id: token for token, id in source["model"]["vocab"].items()} | added
    merges = [pair if isinstance(pair, str) else " ".join(pair) for pair in source["model"]["merges"]]
    writer = gguf.GGUFWriter(output, "llama")
    writer.add_type(gguf.GGUFType.MODEL)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_vocab_size(config.vocab_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_key_length(config.head_dim)
    writer.add_value_length(config.head_dim)
    writer.add_rope_dimension_count(config.head_dim)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("llama-bpe")
    writer.add_token_list([tokens[id] for id in range(config.vocab_size)])
    writer.add_token_types([gguf.TokenType.CONTROL if id in added else gguf.TokenType.NORMAL
                            for id in range(config.vocab_size)])
    writer.add_token_merges(merges)
    writer.add_bos_token_id(config.bos_token_id)
    writer.add_eos_token_id(config.eos_token_id[-1])
    writer.add_chat_template(gguf.GGUFReader(like).fields["tokenizer.chat_template"].contents())
    base = config.rope_parameters["rope_theta"] ** (-torch.arange(0, config.head_dim, 2).float() / config.head_dim)
    writer.add_tensor("rope_freqs.weight", (base / model.model.rotary_emb.inv_freq).numpy())
    for name, weight in model.named_parameters():
        data = weight.detach()
        if rotates(name):
            data = data.view(-1, 2, config.head_dim // 2, data.shape[1]).transpose(1, 2).reshape(data.shape)
        writer.add_tensor(to_gguf(name), data.numpy() if data.dim() == 1 else data.half().numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


@torch.no_grad()
def gguf_logprobs(path, folder, tokens):
    """Of the file's weights as the gguf package decodes them, with the config of a folder."""
    model = open_model(folder)
    to_gguf, head_dim = gguf_names(model.config), model.config.head_dim
    tensors = {tensor.name: tensor for tensor in gguf.GGUFReader(path).tensors}
    for name, weight in model.named_parameters():
        tensor = tensors[to_gguf(name)]
        data = torch.from_numpy(np.array(gguf.dequantize(tensor.data, tensor.tensor_type))).view(weight.shape)
        if rotates(name):
            data = data.view(-1, head_dim // 2, 2, data.shape[1]).transpose(1, 2).reshape(data.shape)
        weight.copy_(data)
    return of_tokens(model, tokens)


def differing_tensors(path, other):
    """Names of the tensors whose type or bytes differ between two GGUF files, and the number of all."""
    first, second = ({t.name: t for t in gguf.GGUFReader(p).tensors} for p in (path, other))
    differing = [name for name in first.keys() | second.keys()
                 if name not in first or name not in second or first[name].tensor_type != second[name].tensor_type
                 or not np.array_equal(first[name].data.view(np.uint8), second[name].data.view(np.uint8))]
    return {"differing": sorted(differing), "tensors": len(first)}


@torch.no_grad()
def nf4_logprobs(folder, tokens):
    """With every projection rounded to NF4 by bitsandbytes' formulas in numpy."""
    model = open_model(folder)
    for name, module in model.named_modules():
        if name.rsplit(".", 1)[-1] in PROJECTIONS:
            module.weight.copy_(torch.from_numpy(nf4_parts(module.weight.numpy())["result"]))
    return of_tokens(model, tokens)


CALLS = [versions, logprobs, ids, save_again, save_random, adapted_logprobs, write_adapter, write_gguf, gguf_logprobs,
         differing_tensors, nf4_logprobs]


def main():
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    calls = {call.__name__: call for call in CALLS}
    out, sys.stdout = sys.stdout, sys.stderr  # so that no library writes between the answers
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = {"result": calls[request["call"]](**request["with"])}
        except Exception:
            answer = {"error": traceback.format_exc()}
        print(json.dumps(answer), file=out, flush=True)


if __name__ == "__main__":
    main()
