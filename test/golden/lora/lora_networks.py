"""The networks that LoRA files are tried on: a small U-Net and a small text encoder on formula weights."""

from diffusers import UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel

from formula_weights import formula_tensor

ATTENTION = ["to_q", "to_k", "to_v", "to_out.0"]


def make_unet():
    unet = UNet2DConditionModel(
        in_channels=4,
        out_channels=4,
        block_out_channels=(8, 16),
        layers_per_block=1,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=12,
        attention_head_dim=(2, 4),
        norm_num_groups=4,
    )
    unet.load_state_dict({n: formula_tensor(n, v.shape) for n, v in unet.state_dict().items()})
    return unet.eval()


def make_text_encoder():
    encoder = CLIPTextModel(
        CLIPTextConfig(
            vocab_size=64,
            hidden_size=12,
            intermediate_size=20,
            num_hidden_layers=2,
            num_attention_heads=3,
            max_position_embeddings=8,
            hidden_act="quick_gelu",
            eos_token_id=63,
            bos_token_id=62,
            pad_token_id=63,
        )
    )
    # this version of transformers leaves text_model out of the names of files
    prefix = "" if hasattr(encoder, "text_model") else "text_model."
    state = encoder.state_dict()
    encoder.load_state_dict(
        {n: formula_tensor(prefix + n, v.shape) if v.is_floating_point() else v for n, v in state.items()}
    )
    return encoder.eval()
