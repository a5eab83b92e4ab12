// Writes ours.safetensors, which lora.py loads with diffusers. Run from this folder: node write-ours.ts
import { saveLora } from "../../../src/models/lora-files/save.ts";
import { goldenLoras, goldenTextEncoder, goldenUNet } from "../../support/golden-loras.ts";

const path = new URL("ours.safetensors", import.meta.url).pathname;
saveLora(path, goldenLoras(goldenUNet(), goldenTextEncoder()), {
  metadata: { open_eve: "golden" },
});
