"""Writes the JSON of text_peer/: what other programs make of texts and conversations.

The vocabularies are small and trained here.

    pip install tokenizers transformers sentencepiece regex jinja2
    python text_peer.py

With SmolLM2's GGUF file (pip install gguf) it writes only what they make of texts with that model's vocabulary:

    python text_peer.py SmolLM2-135M-Instruct.Q4_1.gguf
"""

import datetime
import io
import json
import pathlib
import random
import sys

import regex
import tokenizers
from tokenizers import decoders, models, normalizers, pre_tokenizers, trainers

OUT = pathlib.Path(__file__).parent / "text_peer"

# The cuts as the table of pre-tokenizers in llama.cpp's llama-vocab.cpp lists them.
GPT_2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)"
SUFFIXES = r"(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])"
REST = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
LLAMA = SUFFIXES + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}" + REST
QWEN2 = SUFFIXES + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}" + REST
CUTS = {
    "default": [r"[\p{P}\$\+<=>\^~\|]+", GPT_2, r"\p{N}+", r"[0-9][0-9][0-9]"],
    "gpt-2": [GPT_2],
    "smollm": [r"\p{N}", GPT_2],
    "llama-bpe": [LLAMA],
    "qwen2": [QWEN2],
}

CONTROLS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
DEFINED = ["<car>", "  \t"]

CORPUS = [
    "The ego vehicle drives at 8.4 m/s in the left lane; the lead vehicle is 23.6 m ahead and brakes.",
    "A pedestrian waits at the crosswalk. The traffic light is red, and it's raining. We'll stop.",
    '{"risk": "low", "meta_action": {"longitudinal": "keep speed", "lateral": "keep lane"}}',
    "fn main() {\n    let speed_mps = 3.5;\n    println!(\"{speed_mps}\");\n}\n",
    "Das Fahrzeug fährt über die Brücke; la voiture tourne à gauche après le feu.",
] * 3

TEXTS = [
    "",
    " ",
    "The lead vehicle is 23.6 m ahead.",
    "It's we'll I'M they'Re 'S'd don't",
    "0 12 123 1234 12345 1.5e-3 ½ ² Ⅷ ٣٤",
    "a  b   c    d \t e\t\tf  \n g \n\n\n h\r\n\r\ni   ",
    "   leading and trailing   ",
    "über naïve façade Ångström e\u0301 ﬁ ß İ",
    "漢字 かな カナ 한국어 עברית العربية हिन्दी ไทย",
    "🚗🚦👩\u200d👩\u200d👧🏽 🇩🇪 ☃\ufe0f",
    "if x <= 3 && y != \"a\" { return a[i] ^ ~b | $c + `d`; } // \\n\n\tend\n",
    "{\"risk\": \"low\", \"critical_objects\": [{\"id\": \"v12\", \"distance_m\": 23.6}]}",
    "<|im_start|>user\nIs it safe?<|im_end|>\n<|im_start|>assistant\n",
    "<|im_start|><|im_end|><|endoftext|>",
    "a<|im_end|>b <|im_end|> c<|im_end",
    "a<car>b <car> <<car>> x  \t y",
    "\u00a0\u2003\u3000 \u200b\ufeff\u2028\u0085 \x0b\x0c \x00\x01\x7f",
    "\ufffd\U0010ffff\ue000",
    "_________ ------- ...... !!!!?????",
    "lane lanes LANE laneLane lane_lane lane-lane",
    "whole",
]


def alphabet():
    """GPT-2's character of every byte, in the order of bytes."""
    seen = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    hidden = [byte for byte in range(256) if byte not in seen]
    return [chr(byte) if byte in seen else chr(256 + hidden.index(byte)) for byte in range(256)]


LETTERS = alphabet()


def pieces(pre, text):
    """Cuts with every pattern in turn; what a pattern does not match is a piece too."""
    parts = [text]
    for pattern in CUTS[pre]:
        cut = []
        for part in parts:
            last = 0
            for match in regex.finditer(pattern, part):
                cut += [part[last : match.start()], match.group()]
                last = match.end()
            cut.append(part[last:])
        parts = [part for part in cut if part]
    return parts


def merged(vocabulary, ranks, piece, whole):
    """Plain BPE: the best pair first, as its definition says."""
    word = [LETTERS[byte] for byte in piece.encode()]
    if whole and "".join(word) in vocabulary:
        return [vocabulary["".join(word)]]
    while True:
        pairs = [(ranks.get(pair, len(ranks)), place) for place, pair in enumerate(zip(word, word[1:]))]
        rank, place = min(pairs, default=(len(ranks), 0))
        if rank == len(ranks):
            return [vocabulary[part] for part in word if part in vocabulary]
        word[place : place + 2] = ["".join(word[place : place + 2])]


def encoded(vocabulary, ranks, pre, text, marks):
    """The tokens of a text, by Python alone."""
    ids = []
    for part in regex.split("(" + "|".join(map(regex.escape, marks)) + ")", text) if marks else [text]:
        if part in marks:
            ids.append(vocabulary[part])
        else:
            for piece in pieces(pre, part):
                ids += merged(vocabulary, ranks, piece, pre == "llama-bpe")
    return ids


def hugging_face(pre, vocabulary, merges, controls, defined):
    """The tokenizer of the models that have this cut, put together from Hugging Face's own parts."""
    tokenizer = tokenizers.Tokenizer(models.BPE(vocab=vocabulary, merges=merges, ignore_merges=pre == "llama-bpe"))
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=pre in ("gpt-2", "smollm"))
    steps = {
        "gpt-2": [],
        "smollm": [pre_tokenizers.Digits(individual_digits=True)],
        "llama-bpe": [pre_tokenizers.Split(tokenizers.Regex(LLAMA), "isolated")],
        "qwen2": [pre_tokenizers.Split(tokenizers.Regex(QWEN2), "isolated")],
    }[pre]
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([*steps, byte_level])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(controls)
    tokenizer.add_tokens([tokenizers.AddedToken(mark, normalized=False) for mark in defined])
    return tokenizer


def cases(pre, vocabulary, merges, texts, controls, defined):
    """The tokens of texts, on which both peers agree where both know the cut."""
    ranks = {pair: rank for rank, pair in enumerate(merges)}
    peer = None if pre == "default" else hugging_face(pre, vocabulary, merges, controls, defined)
    out = []
    for text in texts:
        for special in (True, False):
            ids = encoded(vocabulary, ranks, pre, text, defined + (controls if special else []))
            if peer:
                peer.encode_special_tokens = not special
                assert peer.encode(text, add_special_tokens=False).ids == ids, (pre, text, special)
            if special or ids != out[-1]["ids"]:
                out.append({"pre": pre, "text": text, "special": special, "ids": ids})
    return out


def byte_level():
    """A vocabulary of all bytes and the merges of the corpus, with one token that no merge leads to."""
    trained = tokenizers.Tokenizer(models.BPE())
    trained.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(vocab_size=420, initial_alphabet=LETTERS, show_progress=False)
    trained.train_from_iterator(CORPUS, trainer)
    merges = [tuple(merge) for merge in json.loads(trained.to_str())["model"]["merges"]]
    tokens = LETTERS + [left + right for left, right in merges] + ["whole"] + CONTROLS + DEFINED
    assert len(set(tokens)) == len(tokens)
    vocabulary = {token: number for number, token in enumerate(tokens)}
    types = [3 if token in CONTROLS else 4 if token in DEFINED else 1 for token in tokens]
    hugging_face("smollm", vocabulary, merges, CONTROLS, DEFINED).save(str(OUT / "tokenizer.json"), pretty=False)
    return {
        "tokens": tokens,
        "types": types,
        "merges": [" ".join(merge) for merge in merges],
        "bos": vocabulary["<|im_start|>"],
        "eos": vocabulary["<|im_end|>"],
        "cases": [case for pre in CUTS for case in cases(pre, vocabulary, merges, TEXTS, CONTROLS, DEFINED)],
    }


def sentence_piece():
    """A vocabulary that SentencePiece trains, with what it makes of the texts itself."""
    import sentencepiece

    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(CORPUS), model_writer=model, model_type="bpe", vocab_size=420, byte_fallback=True,
        normalization_rule_name="identity", remove_extra_whitespaces=False, minloglevel=2,
    )
    peer = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    ids = range(peer.get_piece_size())
    types = [2 if peer.is_unknown(id) else 3 if peer.is_control(id) else 6 if peer.is_byte(id) else 1 for id in ids]
    texts = [text for text in TEXTS if "\x00" not in text]
    return {
        "tokens": [peer.id_to_piece(id) for id in ids],
        "types": types,
        "scores": [peer.get_score(id) for id in ids],
        "unknown": peer.unk_id(),
        "bos": peer.bos_id(),
        "eos": peer.eos_id(),
        "cases": [{"text": text, "ids": (ids := peer.encode(text)), "decoded": peer.decode(ids)} for text in texts],
    }


# chatml is SmolLM2's own (Apache 2.0); headers is made up in the manner of Llama 3, and parts in that of Idefics 3 and
# SmolVLM; ways has what templates take from Python and Jinja elsewhere.
TEMPLATES = {name: (OUT / f"{name}.jinja").read_text() for name in ("chatml", "headers", "parts", "ways")}

SAID = [
    [("user", "What is ahead?")],
    [("system", "  You judge a driving scene. "), ("user", "Ego: 8.4 m/s.\n- v12 car, <b>23.6 m</b> & braking ")],
    [("system", "Answer briefly."), ("user", "Safe?"), ("assistant", "Yes: 漢字 🚗 \"ok\""), ("user", "<|im_end|>")],
    [("user", "One."), ("user", "Two.")],
]

TEXT, IMAGE = {"type": "text"}, {"type": "image"}

SEEN = [
    [("user", [IMAGE, TEXT | {"text": "What is ahead?"}])],
    [
        ("system", "Answer briefly."),
        ("user", [TEXT | {"text": "Before:"}, IMAGE, TEXT | {"text": "After:"}, IMAGE]),
        ("assistant", [TEXT | {"text": "It turned left."}]),
    ],
]

TOOLS = [{"type": "function", "function": {"name": "brake", "parameters": {"z": 1, "a": [True, None, 0.5, "é"]}}}]


class Day(datetime.datetime):
    """A clock that stands still."""

    @classmethod
    def now(cls, tz=None):
        return cls(2024, 2, 29, 23, 59, 59)


def templates():
    """What transformers renders; null where the template refuses."""
    import jinja2
    from transformers import PreTrainedTokenizerFast
    from transformers.utils import chat_template_utils

    chat_template_utils.datetime = Day
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=tokenizers.Tokenizer(models.BPE()), bos_token="<|begin|>", eos_token="<|end|>"
    )
    out = []
    for name, talks, tools in (
        ("chatml", SAID, None),
        ("headers", SAID, None),
        ("headers", SAID[1:2], TOOLS),
        ("parts", SEEN + SAID[1:2], None),
        ("ways", SAID[1:3], None),
    ):
        for talk in talks:
            messages = [{"role": role, "content": content} for role, content in talk]
            for prompt in (True, False):
                try:
                    options = {"tools": tools, "add_generation_prompt": prompt, "tokenize": False}
                    rendered = tokenizer.apply_chat_template(messages, chat_template=TEMPLATES[name], **options)
                except jinja2.exceptions.TemplateError as error:
                    rendered = None
                    print(name, "refuses:", error, file=sys.stderr)
                case = {"template": name, "messages": messages, "add_generation_prompt": prompt, "rendered": rendered}
                out.append(case | ({"tools": json.dumps(tools)} if tools else {}))
    now = int(datetime.datetime(2024, 2, 29, 23, 59, 59, tzinfo=datetime.timezone.utc).timestamp())
    return {"bos": "<|begin|>", "eos": "<|end|>", "unix_s": now, "cases": out}


def real(path):
    """The tokens of the texts above and of random ones with a model's vocabulary, and the text of the tokens."""
    import gguf

    fields = gguf.GGUFReader(path).fields
    tokens, types, merges = (fields[f"tokenizer.ggml.{key}"].contents() for key in ("tokens", "token_type", "merges"))
    merges = [tuple(merge.split(" ")) for merge in merges]
    vocabulary = {token: number for number, token in enumerate(tokens)}
    chance = random.Random(0)
    ranges = [(32, 127), (9, 14), (0xA0, 0x250), (0x370, 0x600), (0x900, 0xE00), (0x3040, 0xA000), (0x1F300, 0x1FA00)]
    texts = list(TEXTS)
    for _ in range(40):
        spans = [ranges[0], *(chance.choice(ranges) for _ in range(chance.randrange(4)))]
        texts.append("".join(chr(chance.randrange(*chance.choice(spans))) for _ in range(chance.randrange(30))))
    controls = [token for token, kind in zip(tokens, types) if kind == 3]
    out = cases("smollm", vocabulary, merges, texts, controls, [])
    peer = hugging_face("smollm", vocabulary, merges, controls, [])
    return {"cases": [case | {"decoded": peer.decode(case["ids"])} for case in out]}


def main(model=None):
    if model:
        golden = {"smollm2": real(model)}
    else:
        golden = {"byte_level": byte_level(), "sentence_piece": sentence_piece(), "templates": templates()}
    for name, part in golden.items():
        text = json.dumps(part, ensure_ascii=False, separators=(",", ":"))
        # A line for every case, so that a change can be read.
        text = regex.sub(r'("cases":\[|\},)(?=\{"(pre|text|template)":)', r"\1\n", text)
        (OUT / f"{name}.json").write_text(text + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
