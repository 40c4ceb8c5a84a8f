"""A pointwise stem, and what reads it, on images that have few values.

Where an image has two values, as drawings have, its features behind a convolution of 1x1, a group norm and a ReLU have
two values for each channel: a table of L x C numbers for each image, instead of H x W x C. A convolution of C channels
is one of the image's L masks (pixel has value l), with kernels that are sums over the channels, made anew for each
image: L / C of the work, and no gradient of its input but for the table.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from munet.model.pools.same_padding import AvgPool2dSame, Conv2dSame, MaxPool2dSame, conv_same

MOST = 4  # values of an image beyond which plain convolution is as good


@dataclass(frozen=True, eq=False)
class Drawings:
    """Images (B, 1, H, W) of few values: where they have which."""

    values_L: Tensor
    masks_BLHW: Tensor  # 0 and 1

    def part(self, start: int, stop: int) -> "Drawings":
        """The images from `start` to `stop`."""
        return Drawings(self.values_L, self.masks_BLHW[start:stop])

    def behind(self, conv: Conv2dSame, norm: nn.GroupNorm) -> "Drawn":
        """relu(norm(conv(images))) for a convolution of 1x1 on one channel."""
        assert conv.bias is not None
        groups = norm.num_groups
        raw_LGC = (self.values_L[:, None] * conv.weight.flatten() + conv.bias).unflatten(1, (groups, -1))
        share_BL1 = self.masks_BLHW.mean(dim=(2, 3)).unsqueeze(2)
        mean_B1G1 = (share_BL1 * raw_LGC.mean(dim=2)).sum(dim=1)[:, None, :, None]
        centred_BLGC = raw_LGC - mean_B1G1
        variance_B1G1 = (share_BL1 * centred_BLGC.square().mean(dim=3)).sum(dim=1)[:, None, :, None]
        normal_BLC = (centred_BLGC * (variance_B1G1 + norm.eps).rsqrt()).flatten(2)
        return Drawn(F.relu(normal_BLC * norm.weight + norm.bias), self.masks_BLHW)


@dataclass(frozen=True, eq=False)
class Drawn:
    """Features (B, C, H, W) as a table (B, L, C) and the masks (B, L, H, W) that say where each row of it holds."""

    table_BLC: Tensor
    masks_BLHW: Tensor

    def features(self) -> Tensor:
        """Written out, channels last."""
        return self._spread(self.masks_BLHW)

    def convolved(self, conv: Conv2dSame) -> Tensor:
        """conv(features)."""
        kernels = torch.einsum("blc,ocij->bolij", self.table_BLC, conv.weight)
        stride = (conv.stride[0], conv.stride[1])
        masks = self.masks_BLHW.contiguous(memory_format=torch.channels_last)
        # Kernels in that order too, or the output is not, and all that follows puts it in order again.
        ordered = [kernel.contiguous(memory_format=torch.channels_last) for kernel in kernels]
        found = [
            conv_same(mask.unsqueeze(0), kernel, conv.bias, stride) for mask, kernel in zip(masks, ordered, strict=True)
        ]
        return found[0] if len(found) == 1 else torch.cat(found)

    def mean(self, pool: AvgPool2dSame) -> Tensor:
        """pool(features): the mean of a window is that of its masks times the table."""
        return self._spread(pool(self.masks_BLHW))

    def maximum(self, pool: MaxPool2dSame) -> Tensor:
        """pool(features): the maximum over the values that a window holds."""
        held_BHWL1 = pool(self.masks_BLHW).permute(0, 2, 3, 1).unsqueeze(4) > 0
        least = torch.finfo(self.table_BLC.dtype).min
        best: Tensor | None = None
        for level in range(held_BHWL1.shape[3]):
            values = self.table_BLC[:, level, None, None].where(held_BHWL1[:, :, :, level], least)
            best = values if best is None else torch.maximum(best, values)
        assert best is not None
        return best.permute(0, 3, 1, 2)

    def _spread(self, masks_BLHW: Tensor) -> Tensor:
        out_BPC = masks_BLHW.flatten(2).transpose(1, 2) @ self.table_BLC
        return out_BPC.unflatten(1, (masks_BLHW.shape[2], -1)).permute(0, 3, 1, 2)


@torch.no_grad()
def drawings(images: Tensor, most: int = MOST) -> Drawings | None:
    """Images (B, 1, H, W) by their values; None where a batch has more than `most` of them."""
    values = [images.min()]
    while len(values) <= most:
        above = images[images > values[-1]]
        if not len(above):
            return Drawings(torch.stack(values), torch.cat([images == value for value in values], 1).to(images.dtype))
        values.append(above.min())
    return None
