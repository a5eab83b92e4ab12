import { Codec, CodecContext, FFmpegError, type Stream } from "node-av/lib";
import { DataError, UserError } from "../../engine/errors.ts";

/**
 * A decoder for the packets of a stream of the file `name`; `threads` 0: one a core.
 *
 * Throws a UserError where FFmpeg knows no decoder, a DataError where it does not take the stream.
 */
export async function openDecoder(
  video: Stream,
  name: string,
  { threads = 0 }: { threads?: number } = {},
): Promise<CodecContext> {
  const codec = Codec.findDecoder(video.codecpar.codecId);
  if (!codec)
    throw new UserError(`${name} is coded in a way FFmpeg cannot decode: convert it to mp4.`);
  const decoder = new CodecContext();
  decoder.allocContext3(codec);
  decoder.parametersToContext(video.codecpar);
  decoder.pktTimebase = video.timeBase;
  decoder.threadCount = threads;
  const opened = await decoder.open2(codec, null);
  if (opened < 0) {
    decoder[Symbol.dispose]();
    throw new DataError(`${name} cannot be decoded: ${FFmpegError.strerror(opened)}.`);
  }
  return decoder;
}
