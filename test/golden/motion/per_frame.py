"""AnimateDiff's own group normalisation inside diffusers' motion modules, which normalise over all frames together."""

from diffusers.models.unets.unet_motion_model import AnimateDiffTransformer3D
from torch import nn


class PerFrameGroupNorm(nn.GroupNorm):
    """Takes clips (b, c, f, h, w), as diffusers hands them over, and normalises every frame by itself."""

    def forward(self, clips):
        b, c, f, h, w = clips.shape
        frames = clips.transpose(1, 2).reshape(b * f, c, h, w)
        return super().forward(frames).reshape(b, f, c, h, w).transpose(1, 2)


def normalise_per_frame(network):
    """Makes every motion module of `network` take its statistics per frame."""
    for module in network.modules():
        if isinstance(module, AnimateDiffTransformer3D):
            module.norm.__class__ = PerFrameGroupNorm
    return network
