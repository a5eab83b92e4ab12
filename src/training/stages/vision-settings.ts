import { z } from "zod";

const count = z.int().positive();
const share = z.number().min(0).max(1);
const temperature = z.number().positive();

/** From which to which share of a picture's area a crop reaches. */
const areas = (least: number, greatest: number) =>
  z
    .tuple([share, share])
    .refine(
      ([from, to]) => 0 < from && from <= to,
      "the first share must be above 0 and at most the second",
    )
    .default([least, greatest]);

/** Settings of the vision stage. */
export const VisionSettings = z.strictObject({
  /** Side of the pictures, and of the large views, in pixels. */
  size: count.default(128),
  /** Different pictures to train on. */
  pictures: count.default(16384),
  /** Pictures of the validation split that numbers and sheets are made from. */
  held: count.default(256),
  /** Area of the two large views, which the teacher sees too. */
  globalArea: areas(0.35, 1),
  /** Small views, which the student alone sees. */
  locals: z.int().nonnegative().default(4),
  /** Side of the small views, in pixels. */
  localSize: count.default(64),
  localArea: areas(0.1, 0.35),
  /** How strongly views are recoloured; edits change colours, so that critics must still tell them. */
  colour: share.default(0.3),
  /** Widths of the head that training alone needs. */
  hidden: count.default(256),
  bottleneck: count.default(64),
  prototypes: count.default(512),
  studentTemperature: temperature.default(0.1),
  teacherTemperature: temperature.default(0.04),
  /** How much of the teacher stays in a step, at the start; it rises to 1 by half a cosine. */
  teacherMomentum: share.default(0.99),
  /**
   * What keeps the teacher from putting all pictures in one place: `mean`: a moving mean of its cosines is taken off
   * them, as in DINO; `sinkhorn`: its sorting is balanced over each batch, as in DINOv2.
   * Of the two, the mean left ever fewer prototypes in use in short runs with small batches.
   */
  centring: z.enum(["mean", "sinkhorn"]).default("sinkhorn"),
  /** How much of the centre stays in a step; it is kept with either centring, for the numbers on held pictures. */
  centreMomentum: share.default(0.9),
  /** Folder for rendered pictures. */
  cache: z.string().default("runs/cache"),
});
export type VisionSettings = z.infer<typeof VisionSettings>;
