"""Speaks with a server through OpenAI's Python package, and prints what came of it as JSON.

    python server_peer.py URL URL_OF_A_FULL_SERVER
"""

import json
import sys

import openai

client, full = (openai.OpenAI(base_url=url, api_key="none", max_retries=0) for url in sys.argv[1:])
question = [{"role": "user", "content": "What is ahead?"}]
asked = {"model": "small", "temperature": 0, "max_tokens": 40}


def error(call, part):
    """Which of the package's errors a call ends with, and that it says `part`."""
    try:
        call()
    except openai.APIStatusError as failure:
        said = [failure.code, failure.param, failure.body["message"]]
        return f"{type(failure).__name__} {part if any(part in (text or '') for text in said) else said}"
    return "none"


chat = client.chat.completions.create(messages=question, **asked)
assert chat.choices[0].finish_reason in ("stop", "length") and chat.choices[0].message.role == "assistant"

stream = client.chat.completions.create(
    messages=question, stream=True, stream_options={"include_usage": True}, **asked
)
chunks = list(stream)
streamed = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)

# The message as the package gives it back is a message that may be sent.
turns = [*question, chat.choices[0].message, {"role": "user", "content": "And then?"}]
client.chat.completions.create(messages=turns, user="me", extra_body={"priority": 3, "top_k": 5}, **asked)

# Hangs up after the first piece.
with client.chat.completions.create(messages=question, stream=True, **asked) as stream:
    next(iter(stream))

parts = [{"role": "user", "content": [{"type": "text", "text": "What is "}, {"type": "text", "text": "ahead?"}]}]
image = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,"
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="}}]}]
completion = client.completions.create(prompt="Once upon", **asked)
pieces = client.completions.create(prompt="Once upon", stream=True, **asked)
create = client.chat.completions.create

print(json.dumps({
    "chat": chat.choices[0].message.content,
    "chat_streamed": streamed,
    "chat_parts": create(messages=parts, **asked).choices[0].message.content,
    "usage": chat.usage.completion_tokens,
    "usage_streamed": chunks[-1].usage.completion_tokens,
    "steps": chat.usage.draft["steps"],
    "steps_of_extra": chat.usage.model_extra["draft"]["steps"],
    "completion": completion.choices[0].text,
    "completion_streamed": "".join(piece.choices[0].text for piece in pieces),
    "models": [model.id for model in client.models.list()],
    "errors": [
        error(lambda: create(messages=question, **{**asked, "model": "other"}), "model"),
        error(lambda: create(messages=question, **{**asked, "max_tokens": 9999}), "context_length_exceeded"),
        error(lambda: create(messages=question, **{**asked, "temperature": 9}), "temperature"),
        error(lambda: full.chat.completions.create(messages=question, **asked), "rate_limit_exceeded"),
        error(lambda: create(messages=image, **asked), "no eyes"),
    ],
}))
