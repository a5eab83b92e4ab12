import { join } from "node:path";
import { DataError } from "../../engine/errors.ts";
import type { TextEncoderConfig } from "../../models/text-encoder/config.ts";
import { unetStride, type UNetConfig } from "../../models/unet/config.ts";
import { latentStride, type VaeConfig } from "../../models/vae/config.ts";
import type { ModelFolder } from "./model-folder.ts";

/** What of a model has to fit: the side of its pictures in pixels, and the networks that hand tensors to each other. */
export interface MatchedParts {
  readonly size: number;
  readonly autoencoder: VaeConfig;
  readonly backbone: UNetConfig;
  readonly textEncoder: TextEncoderConfig;
}

/** Throws a DataError of one sentence where parts of a model, each whole by itself, were not made for each other. */
export function requireMatching(folder: ModelFolder, parts: MatchedParts): void {
  const { size, autoencoder, backbone, textEncoder } = parts;
  const stride = latentStride(autoencoder) * unetStride(backbone);
  if (size % stride !== 0)
    throw new DataError(
      `${join(folder.path, "model.json")}: expected a size divisible by ${stride}, got ${size}`,
    );
  const { latentChannels } = autoencoder;
  if (backbone.inChannels !== latentChannels || backbone.outChannels !== latentChannels)
    throw notMadeFor(folder, "autoencoder", {
      asked: `latents of ${backbone.inChannels} channels, and draws ${backbone.outChannels}`,
      given: `makes ${latentChannels}`,
    });
  if (backbone.crossAttentionDim !== textEncoder.hiddenSize)
    throw notMadeFor(folder, "text-encoder", {
      asked: `words of ${backbone.crossAttentionDim} features`,
      given: `makes ${textEncoder.hiddenSize}`,
    });
}

function notMadeFor(
  { path }: ModelFolder,
  part: "autoencoder" | "text-encoder",
  { asked, given }: { readonly asked: string; readonly given: string },
): DataError {
  return new DataError(
    `the backbone in ${path} reads ${asked}, and the ${part} there ${given}: take the ${part} that it was trained with, or train it again`,
  );
}
