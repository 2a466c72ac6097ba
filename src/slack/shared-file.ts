/** A file that somebody shared. Pure. */
import { z } from 'zod';

/** As Slack's payloads have it, as far as we use it: https://docs.slack.dev/reference/objects/file-object */
export const SharedFile = z.object({
  id: z.string().min(1),
  name: z.string().nullish(),
  /** In bytes. */
  size: z.number().nullish(),
  url_private: z.string().nullish(),
});
export type SharedFile = z.infer<typeof SharedFile>;
