"""Makes samplers.json with diffusers 0.42.1 on torch 2.15: samples of Gaussian data by its schedulers.

Every entry holds a scheduler_config.json, a number of steps, the times visited and the sample that the best denoiser
for N(0.5, 0.7^2) leads to from the same five values. The networks' outputs are computed in float64.

Run from this folder: python samplers.py
"""

import json

import torch
from diffusers import DDIMScheduler, EulerDiscreteScheduler, PNDMScheduler

MEAN, SPREAD = 0.5, 0.7
START = (-2.0, -0.5, 0.1, 0.7, 1.6)

# what the public repositories say
SD15 = {
    "_class_name": "PNDMScheduler",
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "beta_start": 0.00085,
    "clip_sample": False,
    "num_train_timesteps": 1000,
    "set_alpha_to_one": False,
    "skip_prk_steps": True,
    "steps_offset": 1,
    "trained_betas": None,
}
DDIM = {key: value for key, value in SD15.items() if key != "skip_prk_steps"} | {"_class_name": "DDIMScheduler"}
ANIMATEDIFF = DDIM | {"beta_schedule": "linear", "timestep_spacing": "linspace"}
LIGHTNING = {
    "_class_name": "EulerDiscreteScheduler",
    "beta_end": 0.012,
    "beta_schedule": "linear",
    "beta_start": 0.00085,
    "num_train_timesteps": 1000,
    "timestep_spacing": "trailing",
}
ZERO_SNR = DDIM | {
    "prediction_type": "v_prediction",
    "rescale_betas_zero_snr": True,
    "set_alpha_to_one": True,
    "timestep_spacing": "trailing",
}
CASES = {
    "Stable Diffusion 1.5": (SD15, (1, 2, 3, 4, 7, 25, 50)),
    "DDIM, leading": (DDIM, (1, 4, 25, 50)),
    "DDIM, leading, to the clean sample": (DDIM | {"set_alpha_to_one": True}, (4, 30)),
    "AnimateDiff: DDIM, linspace": (ANIMATEDIFF, (4, 25, 50)),
    "DDIM, trailing": (DDIM | {"timestep_spacing": "trailing", "set_alpha_to_one": True}, (4, 7, 30)),
    "DDIM, trailing, v, zero terminal SNR": (ZERO_SNR, (4, 7, 50)),
    "AnimateDiff-Lightning: Euler, trailing": (LIGHTNING, (1, 2, 4, 8, 30)),
    "Euler, leading": (
        LIGHTNING | {"beta_schedule": "scaled_linear", "timestep_spacing": "leading", "steps_offset": 1},
        (4, 30),
    ),
}
CLASSES = {kind.__name__: kind for kind in (DDIMScheduler, EulerDiscreteScheduler, PNDMScheduler)}


def network(xt, t, config, alpha_bars):
    """What the best network for the data puts out: the noise, or v."""
    alpha, sigma = alpha_bars[t].sqrt(), (1 - alpha_bars[t]).sqrt()
    variance = (alpha * SPREAD) ** 2 + sigma**2
    offset = xt - alpha * MEAN
    noise = offset * sigma / variance
    x0 = MEAN + offset * alpha * SPREAD**2 / variance
    return alpha * noise - sigma * x0 if config.get("prediction_type") == "v_prediction" else noise


def run(config, steps):
    scheduler = CLASSES[config["_class_name"]].from_config(config)
    scheduler.set_timesteps(steps)
    alpha_bars = scheduler.alphas_cumprod.double()
    sample = torch.tensor(START, dtype=torch.float64) * scheduler.init_noise_sigma
    for t in scheduler.timesteps:
        shown = scheduler.scale_model_input(sample, t)
        output = network(shown, int(t), config, alpha_bars)
        sample = scheduler.step(output, t, sample).prev_sample
    return {
        "steps": steps,
        "times": [int(t) for t in scheduler.timesteps],
        "sample": [float(f"{value:.9g}") for value in sample],
    }


with open("samplers.json", "w") as file:
    entries = [
        {"name": name, "config": config, "runs": [run(config, steps) for steps in counts]}
        for name, (config, counts) in CASES.items()
    ]
    lines = ",\n".join("  " + json.dumps(entry) for entry in entries)
    file.write(f'{{"start": {json.dumps(START)},\n "entries": [\n{lines}\n]}}\n')
