"""Parameters and FLOP of public architectures against what their papers and weights say."""

from __future__ import annotations

import pytest

from scaleplan.planning.architectures import architecture, architectures
from scaleplan.planning.image_models import convolutional_network, vision_transformer
from scaleplan.planning.shape_text import read_shape
from scaleplan.planning.transformer import count_flops, count_params

# Exact parameter counts of released weights, or of the papers' own tables.
EXACT = {
    # model cards and loaders of the weights (124,439,808 is the "117M" of the paper's table 2)
    "gpt2-small": 124_439_808,
    "gpt2-medium": 354_823_168,
    "gpt2-large": 774_030_080,
    "gpt2-xl": 1_557_611_200,
    # weights' metadata
    "llama2-13b": 13_015_864_320,
    "llama2-70b": 68_976_648_192,
    "llama3-8b": 8_030_261_248,
    "llama3-70b": 70_553_706_496,
    "llama3-405b": 405_853_388_800,
    "llama3.2-1b": 1_235_814_400,
    "llama3.2-3b": 3_212_749_824,
    "mixtral-8x7b": 46_702_792_704,
    "qwen2.5-0.5b": 494_032_768,
    "qwen2.5-7b": 7_615_616_512,
    # arXiv 2408.00118, table 2: embedding plus the rest
    "gemma2-2b": 590_118_912 + 2_024_517_888,
    "gemma2-9b": 917_962_752 + 8_324_201_984,
    "gemma2-27b": 1_180_237_824 + 26_047_480_320,
    # EleutherAI's model cards
    "pythia-70m": 70_426_624,
    "pythia-160m": 162_322_944,
    "pythia-410m": 405_334_016,
    "pythia-1b": 1_011_781_632,
    "pythia-1.4b": 1_414_647_808,
    "pythia-2.8b": 2_775_208_960,
    "pythia-6.9b": 6_857_302_016,
    "pythia-12b": 11_846_072_320,
}
# Parameters without embeddings, of the same model cards.
NON_EMBEDDING = {
    "pythia-70m": 18_915_328,
    "pythia-160m": 85_056_000,
    "pythia-410m": 302_311_424,
    "pythia-1b": 805_736_448,
    "pythia-1.4b": 1_208_602_624,
    "pythia-2.8b": 2_517_652_480,
    "pythia-6.9b": 6_444_163_072,
    "pythia-12b": 11_327_027_200,
    "gemma2-9b": 8_324_201_984,
}
# Brown et al. 2020, arXiv 2005.14165, table D.1: million parameters and FLOP on 300B tokens.
GPT3 = {
    "gpt3-125m": (125, 2.25e20),
    "gpt3-350m": (356, 6.41e20),
    "gpt3-760m": (760, 1.37e21),
    "gpt3-1.3b": (1320, 2.38e21),
    "gpt3-2.7b": (2650, 4.77e21),
    "gpt3-6.7b": (6660, 1.20e22),
    "gpt3-13b": (12850, 2.31e22),
    "gpt3-175b": (174600, 3.14e23),
}
# Billions as papers round them.
ROUNDED = {
    "llama-7b": 6.7, "llama-13b": 13.0, "llama-33b": 32.5, "llama-65b": 65.2,
    "palm-8b": 8.63, "palm-62b": 62.50, "palm-540b": 540.35,
    "deepseek-v2": 236, "deepseek-v3": 671, "mistral-7b": 7.24, "mixtral-8x22b": 141,
    "chinchilla-70b": 70, "gopher-280b": 280, "bloom-176b": 176, "gpt-neox-20b": 20.6,
    "olmo-1b": 1.18, "olmo-7b": 6.89,
}  # fmt: skip
# Hoffmann et al. 2022, arXiv 2203.15556, table A4: million parameters, layers, width, heads, width
# of a head, and FLOP over 6ND at a sequence of 2048.
TABLE_A4 = [
    (73, 10, 640, 10, 64, 1.03),
    (305, 20, 1024, 16, 64, 1.10),
    (552, 24, 1280, 10, 128, 1.08),
    (1143, 26, 1792, 14, 128, 1.04),
    (1592, 28, 2048, 16, 128, 1.03),
    (6796, 40, 3584, 28, 128, 0.99),
]
# torchvision's tables: parameters, and multiply-adds in units of 1e9 under the name GFLOPS.
IMAGES = {
    "vit-b-16": (86_567_656, 17.56),
    "vit-b-32": (88_224_232, 4.41),
    "vit-l-16": (304_326_632, 61.55),
    "vit-h-14": (632_045_800, 167.3),
    "resnet-18": (11_689_512, 1.81),
    "resnet-34": (21_797_672, 3.66),
    "resnet-50": (25_557_032, 4.09),
    "resnet-101": (44_549_160, 7.80),
    "resnet-152": (60_192_808, 11.51),
}


def shape(name):
    return read_shape(architecture(name).shape, context=2048)


def image_model(name):
    found = architecture(name)
    if found.family == "vit":
        return vision_transformer(found.shape, image=None, patch=None, origin=name, source="")
    return convolutional_network(found.shape, image=None, origin=name, source="")


@pytest.mark.parametrize("name", EXACT)
def test_parameters_are_exact(name):
    assert count_params(shape(name)).total == EXACT[name]


@pytest.mark.parametrize("name", NON_EMBEDDING)
def test_parameters_without_embeddings_are_exact(name):
    assert count_params(shape(name)).non_embedding == NON_EMBEDDING[name]


@pytest.mark.parametrize("name", ROUNDED)
def test_parameters_are_those_of_the_papers(name):
    assert count_params(shape(name)).total == pytest.approx(ROUNDED[name] * 1e9, rel=0.01)


def test_parameters_of_deepseek_v3_but_for_the_bias_of_its_routers():
    # The weights hold 671,026,419,200: 256 biases in each of 58 routers, which steer the balance.
    assert count_params(shape("deepseek-v3")).total == 671_026_419_200 - 58 * 256


@pytest.mark.parametrize(
    ("name", "billions"), [("mixtral-8x7b", 12.88), ("mixtral-8x22b", 39.1), ("deepseek-v2", 21.3)]
)
def test_active_parameters(name, billions):
    assert count_params(shape(name)).active == pytest.approx(billions * 1e9, rel=0.01)


def test_active_parameters_of_deepseek_v3_leave_out_the_input_table():
    counts = count_params(shape("deepseek-v3"))
    assert counts.active - counts.embedding == pytest.approx(36.6e9, rel=0.002)


@pytest.mark.parametrize("name", GPT3)
def test_gpt3_is_counted_by_6nd(name):
    millions, flops = GPT3[name]
    model = shape(name)
    assert count_params(model).total == pytest.approx(millions * 1e6, rel=0.004)
    assert count_flops(model, 2048, "6nd").training * 300e9 == pytest.approx(flops, rel=0.01)


@pytest.mark.parametrize(("millions", "layers", "width", "heads", "head", "ratio"), TABLE_A4)
def test_chinchillas_own_count(millions, layers, width, heads, head, ratio):
    model = read_shape(
        f"L={layers},d={width},heads={heads},head_width={head},vocab=32000,tied=yes,act=gelu,"
        "positions=relative,norm=none",
        context=2048,
    )
    assert count_params(model).total == pytest.approx(millions * 1e6, rel=0.011)
    counted = count_flops(model, 2048, "chinchilla").over_6nd
    assert counted == pytest.approx(ratio, abs=0.0055)  # two digits are printed


def test_llama_405b_on_its_tokens():
    # arXiv 2407.21783, section 3.2: 3.8e25 FLOP on 15.6T tokens.
    assert count_flops(shape("llama3-405b"), 8192, "6nd").training * 15.6e12 == pytest.approx(
        3.8e25, rel=0.01
    )


def test_megatrons_count_of_gpt3():
    # Narayanan et al. 2021, arXiv 2104.04473, eq. 3 is 96 B s L h^2 (1 + s/6h + V/16Lh) with all
    # activations computed again; a forward pass of the layers less is what it is without.
    model = shape("gpt3-175b")
    recomputed = 96 * 96 * 12288**2 * (1 + 2048 / (6 * 12288) + 50257 / (16 * 96 * 12288))
    again = 96 * (24 * 12288**2 + 4 * 2048 * 12288)
    counted = count_flops(model, 2048, "megatron")
    assert counted.training == pytest.approx(recomputed - again, rel=1e-12)
    # Its own matrices and full scores are the same work, to the normalisations.
    assert counted.training == pytest.approx(count_flops(model, 2048, "full").training, rel=1e-3)


@pytest.mark.parametrize("name", IMAGES)
def test_image_models(name):
    params, gmacs = IMAGES[name]
    model = image_model(name)
    assert model.params == params
    assert model.forward_flops / 2e9 == pytest.approx(gmacs, rel=0.005)


def test_vit_h14_on_jft():
    # Dosovitskiy et al. 2021, arXiv 2010.11929: 4,262 exaFLOP, 14 epochs of 303M images.
    assert 3 * image_model("vit-h-14").forward_flops * 303e6 * 14 == pytest.approx(
        4.262e21, rel=0.01
    )


def test_every_published_shape_is_read_and_named_once():
    names = [name for one in architectures() for name in (one.id, *one.aliases)]
    assert len(set(names)) == len(names)
    assert all(architecture(name).id == one.id for one in architectures() for name in (one.id,))
    for one in architectures():
        assert one.source
        if one.family == "language":
            assert count_params(shape(one.id)).total > 1e7
        else:
            # MobileNetV2, the smallest whose counts are stated, takes 0.6 GFLOP.
            assert image_model(one.id).forward_flops > (5e8 if "macs=" in one.shape else 1e9)


# Million parameters, billion multiply-adds and, of Radosavovic et al. 2020, arXiv 2003.13678, table
# 4, million values that convolutions write, as the papers round them.
NETWORKS = {
    "efficientnet-b0": (5.3, 0.39, None), "efficientnet-b1": (7.8, 0.70, None),
    "efficientnet-b3": (12, 1.8, None), "efficientnet-b4": (19, 4.2, None),
    "efficientnet-b7": (66, 37, None), "convnext-t": (29, 4.5, None),
    "convnext-s": (50, 8.7, None), "convnext-b": (89, 15.4, None),
    "convnext-l": (198, 34.4, None), "mobilenet-v2": (3.4, 0.30, None),
    "resnet-50": (25.6, 4.1, 11.1), "resnet-101": (44.6, 7.8, 16.2),
    "resnet-152": (60.2, 11.5, 22.6), "resnext-50-32x4d": (25.0, 4.2, 14.4),
    "resnext-101-32x4d": (44.2, 8.0, 21.2),
}  # fmt: skip


@pytest.mark.parametrize("name", NETWORKS)
def test_convolutional_networks_are_those_of_their_papers(name):
    params, billions, written = NETWORKS[name]
    found = image_model(name)
    assert found.params == pytest.approx(params * 1e6, rel=0.04)
    assert found.forward_flops / 2 == pytest.approx(billions * 1e9, rel=0.05)
    if written is not None:
        assert found.activations == pytest.approx(written * 1e6, rel=0.005)
