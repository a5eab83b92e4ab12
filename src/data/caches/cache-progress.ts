/** What a cache reports while it is being made. */
export interface CacheProgress {
  readonly type: "cache-progress";
  readonly what: string;
  readonly done: number;
  readonly total: number;
}
