"""Makes `golden/vision`: small random models that see, pictures, and what transformers makes of them.

    pip install torch==2.11.0 transformers==4.57.1 safetensors pillow==11.3.0
    python vision_peer.py

`idefics3` and `smolvlm` are directories as hubs have them. In each, `golden.safetensors` has the pixels of tiles (the
second and third with padding, whose real sizes are in `sizes`), their embeddings, what the tower makes of them and their
features; the same but for the features of a wide tile; and the tokens of a prompt with an image and the logits after the
last of them. `prepared.safetensors` has tiles of the pictures in `pictures`, and `grids.json` into how many rows and
columns pictures of other sizes are cut.

The places of patches are not those of transformers 4.57.1, which has all but the first one too low (issue 41190), but
those of the versions with which the models of the hubs were made, and of later ones.
"""

import json
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import Idefics3Config, Idefics3ForConditionalGeneration, Idefics3ImageProcessor, Idefics3Processor
from transformers import PreTrainedTokenizerFast, SmolVLMConfig, SmolVLMForConditionalGeneration, SmolVLMImageProcessor
from transformers.image_utils import ChannelDimension, load_image
from transformers.models.idefics3.processing_idefics3 import get_image_prompt_string

here = Path(__file__).parent / "golden" / "vision"
pictures = here / "pictures"
pictures.mkdir(parents=True, exist_ok=True)
noise = np.random.default_rng(7)

bucketize = torch.bucketize
# A coordinate that is just below its boundary for the factor of 1 - 1e-6 is moved back on it.
torch.bucketize = lambda values, boundaries, right: bucketize(values + 2e-6, boundaries, right=right)


def picture(width, height):
    """Smooth shapes with noise and hard edges."""
    y, x = np.mgrid[0:height, 0:width]
    waves = [127 + 100 * np.sin(x / (3 + c) + y / (5 - c)) for c in range(3)]
    values = np.stack(waves, -1) + noise.normal(0, 20, (height, width, 3))
    values[height // 3 : height // 2, width // 4 : width // 2] = (255, 0, 30)
    return Image.fromarray(values.clip(0, 255).astype(np.uint8))


def save_pictures():
    sizes = {"one": (1, 1), "line": (300, 1), "column": (1, 300), "small": (11, 7), "tile": (12, 12), "odd": (37, 25)}
    for name, size in sizes.items() | {("large", (97, 53)), ("tall", (31, 90))}:
        picture(*size).save(pictures / f"{name}.png")
    photo = picture(45, 30)
    photo.convert("L").save(pictures / "gray.png")
    photo.quantize(9).save(pictures / "palette.png", transparency=3)
    photo.putalpha(photo.convert("L"))
    photo.save(pictures / "rgba.png")
    photo.convert("LA").save(pictures / "gray_alpha.png")
    turned = Image.Exif()
    turned[0x0112] = 6
    picture(40, 21).save(pictures / "turned.png", exif=turned)


def save_prepared():
    prepared = {}
    for name, splits in (("split", True), ("whole", False)):
        processor = SmolVLMImageProcessor(
            size={"longest_edge": 41}, max_image_size={"longest_edge": 12}, do_image_splitting=splits
        )
        processor.save_pretrained(here)
        (here / "preprocessor_config.json").rename(here / f"{name}.json")
        for path in sorted(pictures.glob("*.png")):
            # Where height or width is 1, 3 or 4, transformers would guess that it is the channels.
            image = np.array(load_image(str(path)))
            given = {"images": [image], "input_data_format": ChannelDimension.LAST, "return_row_col_info": True}
            levels = processor(**given, do_rescale=False, do_normalize=False, return_tensors="np")
            prepared[f"{name}.{path.stem}"] = torch.tensor(levels["pixel_values"][0].astype(np.uint8))
            prepared[f"{name}.{path.stem}.grid"] = torch.tensor([levels["rows"][0][0], levels["cols"][0][0]])
            if path.stem == "odd":
                prepared[f"{name}.values"] = torch.tensor(processor(**given, return_tensors="np")["pixel_values"][0])
    save_file(prepared, here / "prepared.safetensors")


def save_grids():
    processor = SmolVLMImageProcessor(size={"longest_edge": 2048}, max_image_size={"longest_edge": 512})
    processor.save_pretrained(here)
    (here / "preprocessor_config.json").rename(here / "large.json")
    sizes = [(1600, 900), (1920, 1080), (512, 512), (2049, 512), (5000, 2), (3, 4000), (4097, 4096), (640, 2047)]
    sizes += [tuple(int(side) for side in noise.integers(5, 3000, 2)) for _ in range(24)]
    grids = []
    for width, height in sizes:
        given = np.zeros((height, width, 3), np.uint8)
        found = processor([given], input_data_format=ChannelDimension.LAST, return_row_col_info=True)
        grids.append([width, height, found["rows"][0][0], found["cols"][0][0]])
    (here / "grids.json").write_text("\n".join(["[", ",\n".join(json.dumps(grid) for grid in grids), "]\n"]))


def tokenizer():
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    whole = Tokenizer(models.BPE({letter: number for number, letter in enumerate(alphabet)}, []))
    whole.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    whole.decoder = decoders.ByteLevel()
    names = ["<|im_start|>", "<end_of_utterance>", "<fake_token_around_image>", "<image>", "<global-img>"]
    names += [f"<row_{row}_col_{column}>" for row in range(1, 4) for column in range(1, 4)]
    whole.add_special_tokens([AddedToken(name, special=True, normalized=False) for name in names])
    return PreTrainedTokenizerFast(tokenizer_object=whole, eos_token="<end_of_utterance>")


TEMPLATE = (
    "<|im_start|>{% for message in messages %}{{ message['role'] | capitalize }}:"
    "{% for part in message['content'] %}{% if part['type'] == 'image' %}<image>{% else %}{{ part['text'] }}{% endif %}"
    "{% endfor %}<end_of_utterance>\n{% endfor %}{% if add_generation_prompt %}Assistant:{% endif %}"
)


def save_model(name, kind, config, image_processor, dtype):
    """A random model, and what it makes of some tiles and of a prompt."""
    directory = here / name
    words = tokenizer()
    words.save_pretrained(directory)
    (directory / "chat_template.jinja").write_text(TEMPLATE)
    image_processor.save_pretrained(directory)
    config.image_token_id = words.convert_tokens_to_ids("<image>")
    torch.manual_seed(11)
    model = kind(config).eval()
    with torch.no_grad():
        for key, value in model.named_parameters():
            if "norm" in key and "weight" in key:
                value.uniform_(0.5, 1.5)
            else:
                value.normal_(0, 0.2)
        model.to(dtype).save_pretrained(directory)
    model = kind.from_pretrained(directory, dtype=torch.float32).eval()
    (directory / "generation_config.json").unlink()

    vision, side = config.vision_config, config.vision_config.image_size
    features = (side // vision.patch_size // config.scale_factor) ** 2
    (directory / "processor_config.json").write_text(json.dumps({"image_seq_len": features}) + "\n")
    patch = vision.patch_size
    sizes = [(side, side), (side - patch, side), (patch + 1, 2 * patch - 1)]
    pixels, mask = torch.randn(3, 3, side, side), torch.zeros(3, side, side, dtype=torch.long)
    for number, (height, width) in enumerate(sizes):
        mask[number, :height, :width] = 1
        pixels[number] *= mask[number]
    golden = {"pixels": pixels, "sizes": torch.tensor(sizes)}
    wide = torch.randn(1, 3, 2 * patch, 5 * patch)
    with torch.no_grad():
        patches = mask.unfold(1, patch, patch).unfold(2, patch, patch).sum((-1, -2)) > 0
        golden["embeddings"] = model.model.vision_model.embeddings(pixels, patches)
        golden["tower"] = model.model.vision_model(pixels, patches).last_hidden_state
        golden["features"] = model.get_image_features(pixels[None], mask[None])
        golden["wide.pixels"] = wide[0]
        golden["wide.tower"] = model.model.vision_model(wide).last_hidden_state[0]
    content = [{"type": "image"}, {"type": "text", "text": "Is it free?"}]
    text = words.apply_chat_template(
        [{"role": "user", "content": content}], tokenize=False, add_generation_prompt=True, chat_template=TEMPLATE
    )
    image = load_image(str(pictures / "large.png"))
    if kind is Idefics3ForConditionalGeneration:
        inputs = Idefics3Processor(image_processor, words, image_seq_len=features)(
            text=text, images=[image], return_tensors="pt"
        )
    else:
        inputs = image_processor([image], return_row_col_info=True, return_tensors="pt")
        expanded = get_image_prompt_string(
            inputs.pop("rows")[0][0], inputs.pop("cols")[0][0], features,
            "<fake_token_around_image>", "<image>", "<global-img>",
        )
        inputs.update(words(text.replace("<image>", expanded), return_tensors="pt"))
    with torch.no_grad():
        logits = model(
            input_ids=inputs["input_ids"], pixel_values=inputs["pixel_values"],
            pixel_attention_mask=inputs["pixel_attention_mask"],
        ).logits[0]
    golden["tokens"] = inputs["input_ids"][0].to(torch.int32)
    golden["logits"] = logits[-12:]
    save_file({key: value.contiguous() for key, value in golden.items()}, directory / "golden.safetensors")
    (directory / "special_tokens_map.json").unlink()


def text(layers):
    return dict(
        model_type="llama", vocab_size=272, hidden_size=32, intermediate_size=64, num_hidden_layers=layers,
        num_attention_heads=2, num_key_value_heads=1, max_position_embeddings=1024, rms_norm_eps=1e-5,
        rope_theta=10_000.0, bos_token_id=256, eos_token_id=257, pad_token_id=257,
    )


def main():
    save_pictures()
    save_prepared()
    save_grids()
    save_model(
        "idefics3",
        Idefics3ForConditionalGeneration,
        Idefics3Config(
            scale_factor=2,
            pad_token_id=257,
            text_config=text(2),
            # Heads and inputs that fill no whole vectors.
            vision_config=dict(
                hidden_size=48, intermediate_size=80, num_hidden_layers=2, num_attention_heads=2, image_size=36,
                patch_size=6,
            ),
        ),
        Idefics3ImageProcessor(size={"longest_edge": 100}, max_image_size={"longest_edge": 36}),
        torch.float32,
    )
    save_model(
        "smolvlm",
        SmolVLMForConditionalGeneration,
        SmolVLMConfig(
            scale_factor=3,
            pad_token_id=257,
            text_config=text(1),
            vision_config=dict(
                hidden_size=32, intermediate_size=64, num_hidden_layers=1, num_attention_heads=2, image_size=48,
                patch_size=8,
            ),
        ),
        SmolVLMImageProcessor(size={"longest_edge": 96}, max_image_size={"longest_edge": 48}),
        torch.bfloat16,
    )


main()
