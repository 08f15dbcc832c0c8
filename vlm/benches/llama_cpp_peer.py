"""Answers requests with llama.cpp, and says how well it foretells texts: one JSON object a line in, one out.

    pip install llama-cpp-python==0.3.36     # builds llama.cpp for this machine, some minutes
    tandem vlm bench requests.jsonl --peer "python vlm/benches/llama_cpp_peer.py"
    tandem vlm perplexity text.txt --peer "python vlm/benches/llama_cpp_peer.py"

In: {"model": FILE, "prompt": [token, …], "most": N, "ends": [token, …], "lookup": N}
Out: {"said": [token, …], "read_s": …, "said_s": …}; the first token comes of reading.

In: {"model": FILE, "window": [token, …], "from": N}
Out: {"nats": [nats, …]}: the negative log-likelihoods of the window's tokens behind the Nth, counted from 0.

`lookup` 0 is plain greedy decoding by the C interface; otherwise llama-cpp-python's own prompt lookup, which drafts so
many tokens a step.
"""

import ctypes
import json
import os
import sys
import time

import llama_cpp
import numpy as np
from llama_cpp.llama_speculative import LlamaPromptLookupDecoding

CONTEXT = 2048
THREADS = len(os.sched_getaffinity(0))


class Plain:
    def __init__(self, path):
        self.llama = llama_cpp.Llama(
            path, n_ctx=CONTEXT, n_batch=512, n_ubatch=512, n_threads=THREADS, n_threads_batch=THREADS, verbose=False
        )
        self.context = self.llama._ctx.ctx
        self.size = self.llama.n_vocab()

    def read(self, tokens):
        for first in range(0, len(tokens), 512):
            part = tokens[first : first + 512]
            array = (llama_cpp.llama_token * len(part))(*part)
            if llama_cpp.llama_decode(self.context, llama_cpp.llama_batch_get_one(array, len(part))):
                raise RuntimeError("llama_decode failed")
        logits = llama_cpp.llama_get_logits_ith(self.context, -1)
        address = ctypes.addressof(logits.contents)
        return int(np.frombuffer((ctypes.c_float * self.size).from_address(address), np.float32).argmax())

    def answer(self, prompt, most, ends):
        self.llama._ctx.kv_cache_clear()
        start = time.perf_counter()
        token = self.read(prompt)
        first, said = time.perf_counter(), []
        while token not in ends:
            said.append(token)
            if len(said) == most:
                break
            token = self.read([token])
        return said, first - start, time.perf_counter() - first


class Foretold:
    """Negative log-likelihoods, from the logits that llama.cpp gives as F32."""

    def __init__(self, path, size):
        self.llama = llama_cpp.Llama(
            path, n_ctx=size, n_batch=size, n_ubatch=512, n_threads=THREADS, n_threads_batch=THREADS, logits_all=True,
            verbose=False,
        )

    def nats(self, window, first):
        self.llama.reset()
        self.llama._ctx.kv_cache_clear()
        self.llama.eval(window)
        scored = window[first + 1 :]
        logits = self.llama.scores[first : first + len(scored)].astype(np.float64)
        most = logits.max(axis=1)
        sums = most + np.log(np.exp(logits - most[:, None]).sum(axis=1))
        return (sums - logits[np.arange(len(scored)), scored]).tolist()


class Lookup:
    def __init__(self, path, count):
        # Without logits of all tokens it crashes where the prompt is longer than a batch.
        self.llama = llama_cpp.Llama(
            path,
            n_ctx=CONTEXT,
            n_batch=512,
            n_threads=THREADS,
            n_threads_batch=THREADS,
            logits_all=True,
            draft_model=LlamaPromptLookupDecoding(num_pred_tokens=count),
            verbose=False,
        )

    def answer(self, prompt, most, ends):
        self.llama.reset()
        self.llama._ctx.kv_cache_clear()
        start, first, said = time.perf_counter(), None, []
        for token in self.llama.generate(prompt, temp=0.0, repeat_penalty=1.0, reset=True):
            first = first or time.perf_counter()
            if token in ends:
                break
            said.append(int(token))
            if len(said) == most:
                break
        return said, first - start, time.perf_counter() - first


speakers = {}
for line in sys.stdin:
    asked = json.loads(line)
    if "window" in asked:
        key = asked["model"], len(asked["window"])
        if key not in speakers:
            speakers.clear()
            speakers[key] = Foretold(*key)
        print(json.dumps({"nats": speakers[key].nats(asked["window"], asked["from"])}), flush=True)
        continue
    key = asked["model"], asked["lookup"]
    if key not in speakers:
        speakers.clear()
        speakers[key] = Lookup(*key) if asked["lookup"] else Plain(asked["model"])
    said, read_s, said_s = speakers[key].answer(asked["prompt"], asked["most"], set(asked["ends"]))
    print(json.dumps({"said": said, "read_s": read_s, "said_s": said_s}), flush=True)
