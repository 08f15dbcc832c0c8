"""Makes `golden/llama`: a small random Llama and what transformers computes with it.

    pip install torch==2.11.0 transformers==4.57.1 safetensors
    python llama_peer.py

`model.safetensors` and `config.json` are as transformers saves them, `golden.safetensors` has the tokens of some
sequences and the logits after each of them.
"""

from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import LlamaConfig, LlamaForCausalLM

here = Path(__file__).parent / "golden" / "llama"
torch.manual_seed(4)
config = LlamaConfig(
    vocab_size=61,
    hidden_size=32,
    intermediate_size=64,
    num_hidden_layers=2,
    num_attention_heads=2,
    num_key_value_heads=1,
    max_position_embeddings=512,
    rms_norm_eps=1e-5,
    rope_theta=10_000.0,
    tie_word_embeddings=True,
    initializer_range=0.3,
)
model = LlamaForCausalLM(config).eval()
with torch.no_grad():
    for name, value in model.named_parameters():
        if "norm" in name:
            value.uniform_(0.5, 1.5)
model.save_pretrained(here)
golden = {}
for number, length in enumerate([1, 7, 75]):
    tokens = torch.randint(0, config.vocab_size, (1, length))
    with torch.no_grad():
        logits = model(tokens).logits[0]
    golden[f"tokens.{number}"] = tokens[0].to(torch.int32)
    golden[f"logits.{number}"] = logits.contiguous()
save_file(golden, here / "golden.safetensors")
(here / "generation_config.json").unlink(missing_ok=True)
